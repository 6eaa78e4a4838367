package org.lathe.export.retrieval;

import java.util.LinkedHashMap;
import java.util.Map;
import org.lathe.training.datastore.IvfTensors;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.types.TInt32;

/**
 * The arrays of an external memory in native memory, under the names that their variables have in a
 * SavedModel: those of {@link IvfTensors#tensors}, the items' tokens, and the first item of each
 * document.
 */
public final class MemoryTensors implements AutoCloseable {
  /** In front of every name, so that no weight of a model is called so. */
  public static final String PREFIX = "retrieval/";

  static final String VALUES = "values";
  static final String DOCUMENTS = "documents";

  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  public MemoryTensors(StoredMemory memory) {
    IvfTensors.tensors(memory.index())
        .forEach((name, tensor) -> tensors.put(PREFIX + name, tensor));
    put(VALUES, memory.values());
    put(
        DOCUMENTS,
        memory.documents().stream().mapToInt(StoredMemory.Document::firstItem).toArray());
  }

  private void put(String name, int[] values) {
    tensors.put(
        PREFIX + name,
        TInt32.tensorOf(Shape.of(values.length), DataBuffers.of(values, true, false)));
  }

  /** By name, in a fixed order. */
  public Map<String, Tensor> byName() {
    return tensors;
  }

  @Override
  public void close() {
    tensors.values().forEach(Tensor::close);
  }
}
