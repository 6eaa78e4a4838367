package org.lathe.export.retrieval;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * The names behind the numbers of retrieved documents: one JSON object a line, in the order of the
 * numbers, with {@code document}, {@code name} and {@code numItems}.
 */
public final class DocumentsFile {
  /** In a version's assets.extra. */
  public static final String NAME = "documents.jsonl";

  private static final ObjectMapper JSON = new ObjectMapper();

  private DocumentsFile() {}

  /** Writes a new file, without forcing it. */
  public static void write(Storage storage, Path file, List<StoredMemory.Document> documents) {
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          try (OutputStream out = new BufferedOutputStream(storage.create(file))) {
            for (int i = 0; i < documents.size(); i++) {
              Map<String, Object> line = new LinkedHashMap<>();
              line.put("document", i);
              line.put("name", documents.get(i).name());
              line.put("numItems", documents.get(i).numItems());
              out.write(JSON.writeValueAsBytes(line));
              out.write('\n');
            }
          }
        });
  }
}
