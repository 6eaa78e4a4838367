package org.lathe.cli.doctor;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.workflow.Outcome;
import org.lathe.training.files.Storage;
import org.lathe.training.text.HfTokenizer;
import org.tensorflow.TensorFlow;
import org.tensorflow.internal.c_api.TFE_Context;
import org.tensorflow.internal.c_api.TFE_ContextOptions;
import org.tensorflow.internal.c_api.TF_DeviceList;
import org.tensorflow.internal.c_api.TF_Status;
import org.tensorflow.internal.c_api.global.tensorflow;

/** Looks at everything a run depends on and says in words what is missing and how to get it. */
public final class Doctor {
  private static final int OLDEST_JAVA = 17;
  private static final double GIB = 1L << 30;
  private static final double ENOUGH_MEMORY_GIB = 4;
  private static final double ENOUGH_DISK_GIB = 3;

  /** The smallest thing the tokenizer library accepts. */
  private static final String TOKENIZER_JSON =
      "{\"version\":\"1.0\",\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}}";

  private final Storage storage;
  private final Map<String, String> environment;
  private final Map<String, Object> facts = new LinkedHashMap<>();
  private final List<String> lines = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private final List<String> advice = new ArrayList<>();

  /**
   * @param environment of the process; TensorFlow reads its switches from there
   */
  public Doctor(Storage storage, Map<String, String> environment) {
    this.storage = storage;
    this.environment = environment;
  }

  /**
   * Examines this machine; exit code 1 when something needed is missing.
   *
   * @param directory whose disk is measured
   */
  public Outcome examine(Path directory) {
    java();
    tensorFlow();
    tokenizers();
    memory();
    disk(directory);
    switches();
    facts.put("problems", List.copyOf(problems));
    facts.put("advice", List.copyOf(advice));
    facts.put("ok", problems.isEmpty());
    problems.forEach(problem -> lines.add("problem: " + problem));
    advice.forEach(hint -> lines.add("advice: " + hint));
    lines.add(problems.isEmpty() ? "ready" : "not ready");
    return new Outcome(problems.isEmpty() ? 0 : 1, facts, lines);
  }

  private void java() {
    Runtime.Version version = Runtime.version();
    tell("java", "Java", version + " (" + System.getProperty("java.vendor") + ")");
    tell(
        "system",
        "system",
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"));
    if (version.feature() < OLDEST_JAVA) {
      problems.add("Java is older than " + OLDEST_JAVA + "; set JAVA_HOME to a newer JDK");
    }
  }

  private void tensorFlow() {
    try {
      tell("tensorflow", "TensorFlow", TensorFlow.version());
      List<String> devices = devices();
      facts.put("devices", devices);
      lines.add(row("devices", String.join(", ", devices)));
    } catch (RuntimeException | LinkageError e) {
      facts.put("tensorflow", null);
      problems.add(
          "TensorFlow's native library does not load ("
              + e.getMessage()
              + "); supported are Linux x86-64 and arm64 and macOS arm64");
    }
  }

  private void tokenizers() {
    try (HfTokenizer tokenizer = HfTokenizer.fromJson(TOKENIZER_JSON)) {
      boolean works = tokenizer.encode("a").length > 0;
      tell(
          "tokenizers", "tokenizers", works ? "native library loads" : "loads but does not encode");
    } catch (RuntimeException | LinkageError e) {
      // the definition is sound, so what the library said of it is what is wrong
      Throwable said = e.getCause() == null ? e : e.getCause();
      facts.put("tokenizers", null);
      problems.add(
          "the tokenizer library does not load ("
              + said.getMessage()
              + "); the home directory must be writable, or use data.tokenizer: byte");
    }
  }

  private void memory() {
    int numCores = Runtime.getRuntime().availableProcessors();
    tell("cores", "cores", numCores);
    if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean bean) {
      double totalGib = bean.getTotalMemorySize() / GIB;
      facts.put("memoryGib", rounded(totalGib));
      lines.add(row("memory", gib(totalGib)));
      if (totalGib < ENOUGH_MEMORY_GIB) {
        advice.add("less than " + gib(ENOUGH_MEMORY_GIB) + " of memory: keep batches small");
      }
    }
    double heapGib = Runtime.getRuntime().maxMemory() / GIB;
    facts.put("heapGib", rounded(heapGib));
    lines.add(row("Java heap", "at most " + gib(heapGib) + "; LATHE_JAVA_OPTS=-Xmx... changes it"));
  }

  private void disk(Path directory) {
    try {
      double freeGib = storage.usableSpace(directory) / GIB;
      facts.put("diskFreeGib", rounded(freeGib));
      lines.add(row("free disk", gib(freeGib)));
      if (freeGib < ENOUGH_DISK_GIB) {
        advice.add("less than " + gib(ENOUGH_DISK_GIB) + " of free disk: the demo needs about one");
      }
    } catch (IOException e) {
      problems.add("cannot ask for free disk space: " + e.getMessage());
    }
  }

  private void switches() {
    String oneDnn = environment.getOrDefault("TF_ENABLE_ONEDNN_OPTS", "");
    tell("oneDnn", "oneDNN", oneDnn.equals("1") ? "on" : "off");
    if (!oneDnn.equals("1")) {
      advice.add(
          "oneDNN is off; start with ./lathe or set TF_ENABLE_ONEDNN_OPTS=1 for faster training");
    }
    boolean largeBlocks = environment.containsKey("MALLOC_MMAP_THRESHOLD_");
    tell("mallocThresholds", "malloc", largeBlocks ? "keeps large blocks" : "default thresholds");
    boolean deterministic = "1".equals(environment.get("TF_DETERMINISTIC_OPS"));
    tell("deterministicOps", "deterministic", deterministic ? "asked for" : "not asked for");
  }

  private void tell(String key, String label, Object value) {
    facts.put(key, value);
    lines.add(row(label, String.valueOf(value)));
  }

  private static List<String> devices() {
    try (TF_Status status = TF_Status.newStatus();
        TFE_ContextOptions options = TFE_ContextOptions.newContextOptions();
        TFE_Context context = TFE_Context.newContext(options, status)) {
      status.throwExceptionIfNotOK();
      TF_DeviceList list = tensorflow.TFE_ContextListDevices(context, status);
      status.throwExceptionIfNotOK();
      List<String> names = new ArrayList<>();
      for (int i = 0; i < tensorflow.TF_DeviceListCount(list); i++) {
        String name = tensorflow.TF_DeviceListName(list, i, status).getString();
        names.add(name.substring(name.indexOf("/device:") + "/device:".length()));
      }
      tensorflow.TF_DeleteDeviceList(list);
      return names;
    }
  }

  private static String row(String label, String value) {
    return String.format(Locale.ROOT, "%-14s%s", label, value);
  }

  private static String gib(double amount) {
    return String.format(Locale.ROOT, "%.1f GiB", amount);
  }

  private static double rounded(double amount) {
    return Math.round(amount * 10) / 10.0;
  }
}
