package org.lathe.export.format;

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
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
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
    byte[] input =
        concat(
            field(MAP_KEY, SignatureNames.INPUT.getBytes(StandardCharsets.UTF_8)),
            field(MAP_VALUE, tensor(request).toByteArray()));
    byte[] predictRequest = concat(field(MODEL_SPEC, modelSpec), field(INPUTS, input));
    return field(PREDICT_LOG, field(REQUEST, predictRequest));
  }

  private static WarmupRequest decode(byte[] payload, String where) {
    byte[] log = single(payload, PREDICT_LOG, where);
    byte[] request = single(log, REQUEST, where);
    byte[] modelSpec = single(request, MODEL_SPEC, where);
    byte[] input = single(request, INPUTS, where);
    String key = new String(single(input, MAP_KEY, where), StandardCharsets.UTF_8);
    if (!key.equals(SignatureNames.INPUT)) {
      throw corrupt(where, "expected the input 'input_ids', found '" + key + "'");
    }
    String name = new String(single(modelSpec, SIGNATURE_NAME, where), StandardCharsets.UTF_8);
    return request(name, single(input, MAP_VALUE, where), where);
  }

  private static TensorProto tensor(WarmupRequest request) {
    int width = request.wide() ? Long.BYTES : Integer.BYTES;
    ByteBuffer content =
        ByteBuffer.allocate(request.batchSize() * request.length() * width)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int[] row : request.ids()) {
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

  private static WarmupRequest request(String signature, byte[] tensorBytes, String where) {
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
    return new WarmupRequest(signature, wide, ids);
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

  private static byte[] concat(byte[] first, byte[] second) {
    return Bytes.concat(first, second);
  }

  /** The content of the only field of this number; other fields are skipped. */
  private static byte[] single(byte[] message, int number, String where) {
    byte @Nullable [] content = null;
    try {
      CodedInputStream in = CodedInputStream.newInstance(message);
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        boolean wanted =
            WireFormat.getTagFieldNumber(tag) == number
                && WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED;
        if (!wanted) {
          in.skipField(tag);
        } else if (content != null) {
          throw corrupt(where, "field " + number + " stands there twice");
        } else {
          content = in.readByteArray();
        }
      }
    } catch (IOException e) {
      throw new CorruptFileException(
          where + ": not a PredictionLog message. Export the model again.", e);
    }
    if (content == null) {
      throw corrupt(where, "field " + number + " of a PredictionLog is missing");
    }
    return content;
  }

  private static CorruptFileException corrupt(String where, String what) {
    return new CorruptFileException(where + ": " + what + ". Export the model again.");
  }
}
