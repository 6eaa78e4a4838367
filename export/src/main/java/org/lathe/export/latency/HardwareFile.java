package org.lathe.export.latency;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.lathe.training.files.Storage;
import org.tensorflow.TensorFlow;

/** Describes the machine that times were measured on. */
public final class HardwareFile {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final int MAX_CPU_INFO_BYTES = 1 << 20;

  private HardwareFile() {}

  /**
   * For instance "Intel(R) Xeon(R) CPU @ 2.20GHz, 2 cores, 2 threads, TensorFlow 2.18.0, JDK 17".
   *
   * @param numThreads that TensorFlow computes with; 0 = as many as cores
   */
  public static String describe(Storage storage, int numThreads) {
    int numCores = Runtime.getRuntime().availableProcessors();
    return processor(storage)
        + ", "
        + numCores
        + " cores, "
        + (numThreads == 0 ? numCores : numThreads)
        + " threads, TensorFlow "
        + TensorFlow.version()
        + ", JDK "
        + Runtime.version().feature();
  }

  private static String processor(Storage storage) {
    String fallback = System.getProperty("os.arch", "unknown processor");
    if (!storage.exists(CPU_INFO)) {
      return fallback;
    }
    try (InputStream in = storage.open(CPU_INFO)) {
      String text = new String(in.readNBytes(MAX_CPU_INFO_BYTES), StandardCharsets.UTF_8);
      return text.lines()
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).trim())
          .findFirst()
          .orElse(fallback);
    } catch (IOException e) {
      return fallback;
    }
  }
}
