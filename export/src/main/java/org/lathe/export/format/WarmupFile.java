package org.lathe.export.format;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.primitives.Bytes;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;
import org.lathe.training.telemetry.TfRecordReader;
import org.lathe.training.telemetry.TfRecordWriter;
import org.tensorflow.proto.DataType;
import org.tensorflow.proto.TensorProto;
import org.tensorflow.proto.TensorShapeProto;

/**
 * TensorFlow Serving's warm-up file: TFRecords of PredictionLog. Its protos are in no Java
 * artifact, so the few fields are written and read by number:
 *
 * <pre>
 *   PredictionLog  { predict_log = 6 }
 *   PredictLog     { request = 1 }
 *   PredictRequest { model_spec = 1, inputs = 2: map of string to TensorProto }
 *   ModelSpec      { signature_name = 3 }
 * </pre>
 */
public final class WarmupFile {
  /** Where servers look for it, below the version directory. */
  public static final String PATH = "assets.extra/tf_serving_warmup_requests";

  /** TensorFlow Serving refuses more. */
  public static final int MAX_RECORDS = 1_000;

  private static final int MAX_SIZE_BYTES = 64 << 20;

  private static final int PREDICT_LOG = 6;
  private static final int REQUEST = 1;
  private static final int MODEL_SPEC = 1;
  private static final int INPUTS = 2;
  private static final int SIGNATURE_NAME = 3;
  private static final int MAP_KEY = 1;
  private static final int MAP_VALUE = 2;

  private static final ImmutableSet<String> INPUT_NAMES =
      ImmutableSet.of(
          SignatureNames.INPUT, EncoderSignatures.ATTENTION_MASK, EncoderSignatures.TOKEN_TYPES);

  private record Values(boolean wide, int[][] rows) {}

  private WarmupFile() {}

  /**
   * Writes a new file, without forcing it.
   *
   * @throws org.lathe.graphs.errors.FailedException when it exists or the disk fails
   */
  public static void write(Storage storage, Path file, List<WarmupRequest> requests) {
    try (TfRecordWriter out = new TfRecordWriter(storage, file)) {
      for (WarmupRequest request : requests) {
        out.write(encode(request));
      }
    }
  }

  /**
   * @throws CorruptFileException when the file is missing or too large, or when the framing, a
   *     checksum or a message is damaged
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static List<WarmupRequest> read(Storage storage, Path file) {
    if (!storage.exists(file)) {
      throw new CorruptFileException(
          file + " is missing. Copy the directory again or export the model again.");
    }
    long sizeBytes = IoGuard.call(storage, "read", file, () -> storage.size(file));
    if (sizeBytes > MAX_SIZE_BYTES) {
      throw corrupt(
          file.toString(), "it has " + sizeBytes + " bytes; the limit is " + MAX_SIZE_BYTES);
    }
    List<WarmupRequest> requests = new ArrayList<>();
    try (TfRecordReader in = new TfRecordReader(storage, file, MAX_SIZE_BYTES)) {
      for (Optional<byte[]> record = in.next(); record.isPresent(); record = in.next()) {
        if (requests.size() == MAX_RECORDS) {
          throw corrupt(file.toString(), "it has more than " + MAX_RECORDS + " records");
        }
        requests.add(decode(record.get(), file + ", record " + requests.size()));
      }
    }
    return requests;
  }

  private static byte[] encode(WarmupRequest request) {
    byte[] name = request.signature().getBytes(StandardCharsets.UTF_8);
    byte[] modelSpec = field(SIGNATURE_NAME, name);
    byte[] predictRequest = field(MODEL_SPEC, modelSpec);
    for (Map.Entry<String, int[][]> input : request.inputs().entrySet()) {
      byte[] entry =
          Bytes.concat(
              field(MAP_KEY, input.getKey().getBytes(StandardCharsets.UTF_8)),
              field(MAP_VALUE, tensor(request, input.getValue()).toByteArray()));
      predictRequest = Bytes.concat(predictRequest, field(INPUTS, entry));
    }
    return field(PREDICT_LOG, field(REQUEST, predictRequest));
  }

  private static WarmupRequest decode(byte[] payload, String where) {
    byte[] log = single(payload, PREDICT_LOG, where);
    byte[] request = single(log, REQUEST, where);
    byte[] modelSpec = single(request, MODEL_SPEC, where);
    String name = new String(single(modelSpec, SIGNATURE_NAME, where), StandardCharsets.UTF_8);
    Map<String, Values> inputs = new LinkedHashMap<>();
    for (byte[] input : all(request, INPUTS, where)) {
      String key = new String(single(input, MAP_KEY, where), StandardCharsets.UTF_8);
      if (!INPUT_NAMES.contains(key)) {
        throw corrupt(where, "expected an input of " + INPUT_NAMES + ", found '" + key + "'");
      }
      if (inputs.put(key, values(single(input, MAP_VALUE, where), where)) != null) {
        throw corrupt(where, "the input '" + key + "' stands there twice");
      }
    }
    return request(name, inputs, where);
  }

  private static WarmupRequest request(String name, Map<String, Values> inputs, String where) {
    Values ids = inputs.get(SignatureNames.INPUT);
    if (ids == null) {
      throw corrupt(where, "expected the input 'input_ids', found " + inputs.keySet());
    }
    ImmutableMap.Builder<String, int[][]> rows = ImmutableMap.builder();
    inputs.forEach(
        (key, values) -> {
          if (values.wide() != ids.wide()
              || values.rows().length != ids.rows().length
              || values.rows()[0].length != ids.rows()[0].length) {
            throw corrupt(where, "the input '" + key + "' has another type or shape than the ids");
          }
          rows.put(key, values.rows());
        });
    return new WarmupRequest(name, ids.wide(), rows.buildOrThrow());
  }

  private static TensorProto tensor(WarmupRequest request, int[][] rows) {
    int width = request.wide() ? Long.BYTES : Integer.BYTES;
    ByteBuffer content =
        ByteBuffer.allocate(request.batchSize() * request.length() * width)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int[] row : rows) {
      for (int id : row) {
        if (request.wide()) {
          content.putLong(id);
        } else {
          content.putInt(id);
        }
      }
    }
    return TensorProto.newBuilder()
        .setDtype(request.wide() ? DataType.DT_INT64 : DataType.DT_INT32)
        .setTensorShape(
            TensorShapeProto.newBuilder()
                .addDim(TensorShapeProto.Dim.newBuilder().setSize(request.batchSize()))
                .addDim(TensorShapeProto.Dim.newBuilder().setSize(request.length())))
        .setTensorContent(ByteString.copyFrom(content.array()))
        .build();
  }

  private static Values values(byte[] tensorBytes, String where) {
    TensorProto tensor;
    try {
      tensor = TensorProto.parseFrom(tensorBytes);
    } catch (InvalidProtocolBufferException e) {
      throw new CorruptFileException(where + ": the input tensor does not parse", e);
    }
    boolean wide = tensor.getDtype() == DataType.DT_INT64;
    if (!wide && tensor.getDtype() != DataType.DT_INT32) {
      throw corrupt(where, "expected int32 or int64 ids, found " + tensor.getDtype());
    }
    if (tensor.getTensorShape().getDimCount() != 2) {
      throw corrupt(where, "expected ids with two dimensions");
    }
    long rows = tensor.getTensorShape().getDim(0).getSize();
    long length = tensor.getTensorShape().getDim(1).getSize();
    long width = wide ? Long.BYTES : Integer.BYTES;
    long numBytes = tensor.getTensorContent().size();
    // divide instead of multiplying: the sizes may be hostile
    if (rows <= 0
        || length <= 0
        || numBytes / width / rows != length
        || rows * length * width != numBytes) {
      throw corrupt(
          where, "shape [" + rows + ", " + length + "] does not fit " + numBytes + " bytes");
    }
    ByteBuffer content =
        tensor.getTensorContent().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    int[][] ids = new int[(int) rows][(int) length];
    for (int[] row : ids) {
      for (int i = 0; i < row.length; i++) {
        row[i] = wide ? (int) content.getLong() : content.getInt();
      }
    }
    return new Values(wide, ids);
  }

  /** One length-delimited protobuf field. */
  private static byte[] field(int number, byte[] content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      CodedOutputStream out = CodedOutputStream.newInstance(bytes);
      out.writeByteArray(number, content);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    return bytes.toByteArray();
  }

  /** The content of the only field of this number; other fields are skipped. */
  private static byte[] single(byte[] message, int number, String where) {
    List<byte[]> contents = all(message, number, where);
    if (contents.size() > 1) {
      throw corrupt(where, "field " + number + " stands there twice");
    }
    return contents.get(0);
  }

  /** The contents of the fields of this number, one at least. */
  private static List<byte[]> all(byte[] message, int number, String where) {
    List<byte[]> contents = new ArrayList<>();
    try {
      CodedInputStream in = CodedInputStream.newInstance(message);
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (WireFormat.getTagFieldNumber(tag) == number
            && WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED) {
          contents.add(in.readByteArray());
        } else {
          in.skipField(tag);
        }
      }
    } catch (IOException e) {
      throw new CorruptFileException(
          where + ": not a PredictionLog message. Export the model again.", e);
    }
    if (contents.isEmpty()) {
      throw corrupt(where, "field " + number + " of a PredictionLog is missing");
    }
    return contents;
  }

  private static CorruptFileException corrupt(String where, String what) {
    return new CorruptFileException(where + ": " + what + ". Export the model again.");
  }
}
