package org.lathe.training.datastore;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Ints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.graphs.retrieval.KeyDecoder;
import org.lathe.graphs.retrieval.KeyEncoding;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.files.FramedFileReader;
import org.lathe.training.files.FramedFileWriter;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * An {@link IvfIndex} on disk; the same index gives the same bytes.
 *
 * <pre>
 * payload  metric | encoding | width D | lists L | keys N | sub-vectors M, i32 each |
 *          centroids (L, D) f32 | scales D f32, offsets D f32 if INT8 |
 *          codewords (M, 256, D / M) f32 if PRODUCT |
 *          list sizes L i32 | items N i32, list after list | codes, list after list
 * </pre>
 */
public final class IvfIndexFile {
  static final String KIND = "ivf-index";
  static final int VERSION = 1;

  /** Wider keys are refused. */
  static final int MAX_WIDTH = 1 << 16;

  /** More lists are refused. */
  static final int MAX_LISTS = 1 << 24;

  /** What one array of Java holds. */
  static final int MAX_LIST_BYTES = Integer.MAX_VALUE - 8;

  /** Numbers in files are places in these lists: add at the end only. */
  private static final ImmutableList<Metric> METRICS =
      ImmutableList.of(Metric.INNER_PRODUCT, Metric.SQUARED_L2);

  private static final ImmutableList<KeyEncoding> ENCODINGS =
      ImmutableList.of(
          KeyEncoding.FLOAT32, KeyEncoding.FLOAT16, KeyEncoding.INT8, KeyEncoding.PRODUCT);

  private static final int HEAD_BYTES = 6 * Integer.BYTES;

  private IvfIndexFile() {}

  /**
   * Writes a new file. Nothing is synced here.
   *
   * @param id 16 bytes that tell which keys the index belongs to
   * @throws FailedException when it exists or cannot be written
   */
  public static void write(Storage storage, Path path, IvfIndex index, byte[] id) {
    IoGuard.run(storage, "write", path, () -> writeFrame(storage, path, index, id));
  }

  private static void writeFrame(Storage storage, Path path, IvfIndex index, byte[] id)
      throws IOException {
    try (FramedFileWriter out = new FramedFileWriter(storage, path, KIND, VERSION, id)) {
      KeyCode code = index.code();
      out.writeInt(METRICS.indexOf(index.metric()));
      out.writeInt(ENCODINGS.indexOf(code.encoding()));
      out.writeInt(index.width());
      out.writeInt(index.numLists());
      out.writeInt(index.numKeys());
      out.writeInt(code.numSubvectors());
      for (float[] floats :
          new float[][] {index.centroids(), code.scales(), code.offsets(), code.codewords()}) {
        for (float value : floats) {
          out.writeInt(Float.floatToRawIntBits(value));
        }
      }
      for (int[] list : index.items()) {
        out.writeInt(list.length);
      }
      for (int[] list : index.items()) {
        for (int item : list) {
          out.writeInt(item);
        }
      }
      for (byte[] list : index.codes()) {
        out.write(list);
      }
      out.finish();
    }
  }

  /**
   * Reads and checks all of it.
   *
   * @throws CorruptFileException when it is missing, damaged or no such index
   * @throws FormatTooNewException when a newer Lathe wrote it
   * @throws FailedException when it cannot be read at all
   */
  public static IvfIndex read(Storage storage, Path path) {
    if (!storage.exists(path)) {
      throw new CorruptFileException("%s is missing; build the index again.".formatted(path));
    }
    return IoGuard.call(
        storage,
        "read",
        path,
        () -> {
          try (FramedFileReader file = FramedFileReader.open(storage, path, KIND, VERSION)) {
            return new Parser(file).parse();
          }
        });
  }

  /** The id that the file was written with. */
  public static byte[] id(Storage storage, Path path) {
    return IoGuard.call(
        storage,
        "read",
        path,
        () -> {
          try (FramedFileReader file = FramedFileReader.open(storage, path, KIND, VERSION)) {
            return file.id();
          }
        });
  }

  /** Walks through a payload whose checksums are right but whose numbers need not be. */
  private static final class Parser {
    private final FramedFileReader file;
    private long position;

    Parser(FramedFileReader file) {
      this.file = file;
    }

    IvfIndex parse() {
      check(file.size() >= HEAD_BYTES, "its payload of " + file.size() + " bytes is too short");
      int metric = nextInt();
      int encodingNumber = nextInt();
      int width = nextInt();
      int numLists = nextInt();
      int numKeys = nextInt();
      int numSubvectors = nextInt();
      check(metric >= 0 && metric < METRICS.size(), "its metric is " + metric);
      check(
          encodingNumber >= 0 && encodingNumber < ENCODINGS.size(),
          "its encoding is " + encodingNumber);
      check(width >= 1 && width <= MAX_WIDTH, "its width is " + width);
      check(numLists >= 1 && numLists <= MAX_LISTS, "it promises " + numLists + " lists");
      check(numKeys >= 0, "it promises " + numKeys + " keys");
      KeyEncoding encoding = ENCODINGS.get(encodingNumber);
      boolean product = encoding == KeyEncoding.PRODUCT;
      check(
          product ? numSubvectors >= 1 && width % numSubvectors == 0 : numSubvectors == 0,
          "it has " + numSubvectors + " sub-vectors for a width of " + width);
      int codeBytes = encoding.numBytes(width, numSubvectors);
      int numScales = encoding == KeyEncoding.INT8 ? width : 0;
      int numCodewords = product ? KeyDecoder.CODEWORDS * width : 0;
      // in this order, so that nothing is allocated for a promise that the file does not keep
      long numFloats = (long) numLists * width + 2L * numScales + numCodewords;
      long numBytes =
          HEAD_BYTES
              + Integer.BYTES * (numFloats + numLists + numKeys)
              + (long) numKeys * codeBytes;
      check(
          file.size() == numBytes,
          "its payload has " + file.size() + " bytes, expected " + numBytes);
      check(
          (long) numLists * width <= Integer.MAX_VALUE / Float.BYTES, "its centroids are too many");
      float[] centroids = nextFloats(numLists * width);
      KeyCode code =
          new KeyCode(
              encoding,
              width,
              nextFloats(numScales),
              nextFloats(numScales),
              nextFloats(numCodewords),
              numSubvectors);
      int[][] items = nextItems(numLists, numKeys);
      byte[][] codes = new byte[numLists][];
      for (int list = 0; list < numLists; list++) {
        long listBytes = (long) items[list].length * codeBytes;
        check(listBytes <= MAX_LIST_BYTES, "list " + list + " is too long");
        codes[list] = nextBytes((int) listBytes);
      }
      return new IvfIndex(METRICS.get(metric), width, code, centroids, items, codes);
    }

    private int[][] nextItems(int numLists, int numKeys) {
      int[][] items = new int[numLists][];
      long total = 0;
      for (int list = 0; list < numLists; list++) {
        int size = nextInt();
        check(size >= 0 && size <= numKeys - total, "list " + list + " has " + size + " keys");
        items[list] = new int[size];
        total += size;
      }
      check(total == numKeys, "its lists hold " + total + " keys of " + numKeys);
      for (int list = 0; list < numLists; list++) {
        int before = -1;
        for (int i = 0; i < items[list].length; i++) {
          int item = nextInt();
          check(item > before, "item " + item + " follows " + before + " in list " + list);
          items[list][i] = item;
          before = item;
        }
      }
      return items;
    }

    private float[] nextFloats(int number) {
      float[] floats = new float[number];
      ByteBuffer.wrap(nextBytes(Ints.checkedCast((long) number * Float.BYTES)))
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(floats);
      for (float value : floats) {
        check(Float.isFinite(value), "it holds the number " + value);
      }
      return floats;
    }

    private byte[] nextBytes(int number) {
      byte[] bytes = new byte[number];
      file.read(position, bytes, 0, number);
      position += number;
      return bytes;
    }

    private int nextInt() {
      int value = file.intAt(position);
      position += Integer.BYTES;
      return value;
    }

    private void check(boolean condition, String found) {
      if (!condition) {
        throw new CorruptFileException(
            "%s is not a usable index: %s; build the index again.".formatted(file.file(), found));
      }
    }
  }
}
