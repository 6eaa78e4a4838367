package org.lathe.export.verification;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.training.files.Storage;

/**
 * Recorded outputs beside a language model's SavedModel, so that a fresh process can check its
 * parity.
 */
public final class ReferenceFile {
  private static final String FORMAT = "lathe-reference";

  private ReferenceFile() {}

  public static void write(Storage storage, Path versionDirectory, List<ReferenceCase> cases) {
    List<Map<String, Object>> items = new ArrayList<>();
    for (ReferenceCase each : cases) {
      Map<String, Object> item = new LinkedHashMap<>();
      item.put("prompt", each.prompt());
      item.put("words", each.words());
      item.put("logProbabilities", each.logProbabilities());
      item.put("mostLikely", each.mostLikely());
      items.add(item);
    }
    new ReferenceJson(versionDirectory).write(storage, FORMAT, items);
  }

  /**
   * @throws org.lathe.graphs.errors.CorruptFileException when it is missing or not what write makes
   * @throws org.lathe.graphs.errors.FormatTooNewException when a newer Lathe wrote it
   */
  public static List<ReferenceCase> read(Storage storage, Path versionDirectory) {
    ReferenceJson json = new ReferenceJson(versionDirectory);
    List<ReferenceCase> cases = new ArrayList<>();
    for (Map<?, ?> fields : json.read(storage, FORMAT)) {
      int[] words = json.ids("words", fields.get("words"));
      float[] values = json.floats("logProbabilities", fields.get("logProbabilities"));
      if (values.length != words.length) {
        throw json.corrupt("logProbabilities", words.length + " numbers", values.length);
      }
      cases.add(
          new ReferenceCase(
              json.ids("prompt", fields.get("prompt")),
              words,
              values,
              json.id("mostLikely", fields.get("mostLikely"))));
    }
    return cases;
  }
}
