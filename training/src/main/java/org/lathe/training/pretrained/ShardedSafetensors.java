package org.lathe.training.pretrained;

import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;
import org.tensorflow.ndarray.Shape;

/**
 * A model cut into several safetensors files by {@code model.safetensors.index.json}, whose {@code
 * weight_map} says which tensor lies in which file of the same directory.
 */
public final class ShardedSafetensors implements TensorSource {
  static final int MAX_SHARDS = 10_000;
  static final int MAX_TENSORS = 1_000_000;
  private static final String SUFFIX = ".safetensors";

  private final Path index;
  private final Map<String, SafetensorsReader> shards;

  private ShardedSafetensors(Path index, Map<String, SafetensorsReader> shards) {
    this.index = index;
    this.shards = shards;
  }

  /**
   * Reads the index and the header of every shard.
   *
   * @throws CorruptFileException when the index names a file outside its directory or a tensor that
   *     is not there, passes a limit, or a shard is damaged
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static ShardedSafetensors open(Storage storage, Path index) {
    return open(storage, index, MAX_SHARDS, MAX_TENSORS);
  }

  static ShardedSafetensors open(Storage storage, Path index, int maxShards, int maxTensors) {
    Object map = JsonFile.read(storage, index).get("weight_map");
    if (!(map instanceof Map<?, ?> weightMap) || weightMap.isEmpty()) {
      throw corrupt(index, "has no object 'weight_map' that names tensors");
    }
    if (weightMap.size() > maxTensors) {
      throw corrupt(index, "names more than the limit of " + maxTensors + " tensors");
    }
    Map<String, SafetensorsReader> readers = new HashMap<>();
    Map<String, SafetensorsReader> shards = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : weightMap.entrySet()) {
      String tensor = String.valueOf(entry.getKey());
      String shard = shardName(index, tensor, entry.getValue());
      SafetensorsReader reader = readers.get(shard);
      if (reader == null) {
        if (readers.size() == maxShards) {
          throw corrupt(index, "names more than the limit of " + maxShards + " files");
        }
        reader = SafetensorsReader.open(storage, PlainFile.inside(storage, index, shard));
        readers.put(shard, reader);
      }
      if (!reader.names().contains(tensor)) {
        throw corrupt(index, "says that '" + tensor + "' lies in " + shard + ", which has none");
      }
      shards.put(tensor, reader);
    }
    return new ShardedSafetensors(index, shards);
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(shards.keySet());
  }

  @Override
  public Shape shape(String name) {
    return shard(name).shape(name);
  }

  @Override
  public Weights.Array read(String name) {
    return shard(name).read(name);
  }

  @Override
  public String place() {
    return index.toString();
  }

  private SafetensorsReader shard(String name) {
    SafetensorsReader shard = shards.get(name);
    if (shard == null) {
      throw new CorruptFileException(
          index + " names no tensor '" + name + "'; it names " + shards.size() + " others.");
    }
    return shard;
  }

  private static String shardName(Path index, String tensor, @Nullable Object value) {
    if (!(value instanceof String name) || !name.endsWith(SUFFIX)) {
      throw corrupt(
          index,
          "says that '" + tensor + "' lies in " + value + ", expected a *" + SUFFIX + " file");
    }
    return name;
  }

  private static CorruptFileException corrupt(Path index, String what) {
    return new CorruptFileException(index + " " + what + "; download the checkpoint again.");
  }
}
