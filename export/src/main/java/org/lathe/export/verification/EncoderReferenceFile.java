package org.lathe.export.verification;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.training.files.Storage;

/**
 * Recorded outputs beside an encoder's SavedModel, so that a fresh process can check its parity.
 */
public final class EncoderReferenceFile {
  private static final String FORMAT = "lathe-encoder-reference";

  private EncoderReferenceFile() {}

  public static void write(Storage storage, Path versionDirectory, List<EncoderCase> cases) {
    List<Map<String, Object>> items = new ArrayList<>();
    for (EncoderCase each : cases) {
      Map<String, Object> item = new LinkedHashMap<>();
      item.put("ids", each.ids());
      item.put("types", each.types());
      item.put("outputs", each.outputs());
      items.add(item);
    }
    new ReferenceJson(versionDirectory).write(storage, FORMAT, items);
  }

  /**
   * @throws org.lathe.graphs.errors.CorruptFileException when it is missing or not what write makes
   * @throws org.lathe.graphs.errors.FormatTooNewException when a newer Lathe wrote it
   */
  public static List<EncoderCase> read(Storage storage, Path versionDirectory) {
    ReferenceJson json = new ReferenceJson(versionDirectory);
    List<EncoderCase> cases = new ArrayList<>();
    for (Map<?, ?> fields : json.read(storage, FORMAT)) {
      int[] ids = json.ids("ids", fields.get("ids"));
      int[] types = json.ids("types", fields.get("types"));
      if (ids.length == 0 || types.length != ids.length) {
        throw json.corrupt("types", ids.length + " of 1 or more", types.length);
      }
      Map<String, float[]> outputs = new LinkedHashMap<>();
      json.object("outputs", fields.get("outputs"))
          .forEach(
              (name, values) -> outputs.put(String.valueOf(name), json.floats("outputs", values)));
      cases.add(new EncoderCase(ids, types, outputs));
    }
    return cases;
  }
}
