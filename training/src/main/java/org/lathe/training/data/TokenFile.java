package org.lathe.training.data;

import com.google.common.base.Preconditions;
import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import com.google.common.io.BaseEncoding;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.training.files.FramedFileReader;
import org.lathe.training.files.Storage;

/**
 * The tokens of many documents behind each other, memory-mapped, written by {@link
 * TokenFileWriter}. Opening checks every byte. Safe for several threads.
 *
 * <pre>
 * payload  tokens, u16 or i32 | per document: start i64, id length i32, id, UTF-8 | tail
 * tail     number of tokens i64 | documents i32 | vocabulary size i32 | bytes per token i32 |
 *          tokenizer fingerprint, 32 bytes
 * </pre>
 */
public final class TokenFile implements AutoCloseable {
  static final String KIND = "tokens";
  static final int VERSION = 1;
  static final int FINGERPRINT_BYTES = 32;
  static final int TAIL_BYTES = Long.BYTES + 3 * Integer.BYTES + FINGERPRINT_BYTES;

  /** Vocabularies up to this size are stored with 16 bits a token. */
  static final int MAX_SHORT_VOCABULARY = 1 << 16;

  /** Longer document ids are refused. */
  static final int MAX_ID_BYTES = 1 << 12;

  private static final int DOCUMENT_BYTES = Long.BYTES + Integer.BYTES;

  private final Storage storage;
  private final FramedFileReader file;
  private final long numTokens;
  private final int vocabularySize;
  private final int tokenBytes;
  private final String fingerprint;
  private final long[] documentStarts;
  private final String[] documentIds;

  private TokenFile(Storage storage, FramedFileReader file) {
    this.storage = storage;
    this.file = file;
    check(file.size() >= TAIL_BYTES, "its payload of " + file.size() + " bytes is too short");
    ByteBuffer tail = bytes(file.size() - TAIL_BYTES, TAIL_BYTES);
    numTokens = tail.getLong();
    int numDocuments = tail.getInt();
    vocabularySize = tail.getInt();
    tokenBytes = tail.getInt();
    byte[] fingerprintBytes = new byte[FINGERPRINT_BYTES];
    tail.get(fingerprintBytes);
    fingerprint = BaseEncoding.base16().lowerCase().encode(fingerprintBytes);
    long room = file.size() - TAIL_BYTES;
    check(
        tokenBytes == tokenBytes(vocabularySize) && vocabularySize > 0,
        "it has " + tokenBytes + " bytes per token for a vocabulary of " + vocabularySize);
    check(
        numTokens >= 0 && numTokens <= room / tokenBytes,
        "it promises " + numTokens + " tokens, more than it holds");
    room -= numTokens * tokenBytes;
    check(
        numDocuments >= 0 && numDocuments <= room / DOCUMENT_BYTES,
        "it promises " + numDocuments + " documents, more than it holds");
    documentStarts = new long[numDocuments];
    documentIds = new String[numDocuments];
    readDocuments(numTokens * tokenBytes, file.size() - TAIL_BYTES);
    checkTokens();
  }

  /**
   * Maps a file and checks all of it.
   *
   * @throws CorruptFileException when it is missing, damaged or no token file
   * @throws FormatTooNewException when a newer Lathe wrote it
   * @throws UncheckedIOException when it cannot be read at all
   */
  public static TokenFile open(Storage storage, Path path) {
    if (!storage.exists(path)) {
      throw new CorruptFileException("%s is missing; prepare the data again.".formatted(path));
    }
    try {
      return new TokenFile(storage, FramedFileReader.open(storage, path, KIND, VERSION));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + path, e);
    }
  }

  /** Number of tokens. */
  public long size() {
    return numTokens;
  }

  /** Token at a position in [0, size). */
  public int get(long position) {
    if (position < 0 || position >= numTokens) {
      throw new IndexOutOfBoundsException(
          "token " + position + " outside [0, " + numTokens + ") of " + file.file());
    }
    return tokenBytes == Short.BYTES
        ? file.unsignedShort(position * Short.BYTES)
        : file.intAt(position * Integer.BYTES);
  }

  /** Copies the tokens [position, position + length) into target from offset on. */
  public void read(long position, int[] target, int offset, int length) {
    Preconditions.checkPositionIndexes(offset, offset + length, target.length);
    if (position < 0 || length > numTokens - position) {
      throw new IndexOutOfBoundsException(
          "tokens [%d, %d) outside [0, %d) of %s"
              .formatted(position, position + length, numTokens, file.file()));
    }
    for (int i = 0; i < length; i++) {
      target[offset + i] = get(position + i);
    }
  }

  public int numDocuments() {
    return documentStarts.length;
  }

  /** Position of a document's first token; it ends where the next one starts. */
  public long documentStart(int document) {
    return documentStarts[document];
  }

  /** Index of the document that holds the token at this position. */
  public int documentAt(long position) {
    if (position < 0 || position >= numTokens) {
      throw new IndexOutOfBoundsException(
          "token " + position + " outside [0, " + numTokens + ") of " + file.file());
    }
    int low = 0;
    int high = documentStarts.length - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (documentStarts[middle] <= position) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  public String documentId(int document) {
    return documentIds[document];
  }

  public int vocabularySize() {
    return vocabularySize;
  }

  /** Fingerprint of the tokenizer that made these tokens. */
  public String tokenizerFingerprint() {
    return fingerprint;
  }

  /** SHA-256 of the whole file, 64 hexadecimal digits; reads it once from start to end. */
  public String sha256() {
    return sha256(storage, file.file());
  }

  /** The file itself. */
  public Path path() {
    return file.file();
  }

  @Override
  public void close() {
    file.close();
  }

  static int tokenBytes(int vocabularySize) {
    return vocabularySize <= MAX_SHORT_VOCABULARY ? Short.BYTES : Integer.BYTES;
  }

  static String sha256(Storage storage, Path path) {
    Hasher hasher = Hashing.sha256().newHasher();
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = storage.open(path)) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        hasher.putBytes(buffer, 0, count);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + path, e);
    }
    return hasher.hash().toString();
  }

  private void readDocuments(long start, long end) {
    long position = start;
    for (int i = 0; i < documentStarts.length; i++) {
      check(end - position >= DOCUMENT_BYTES, "its document table ends early");
      ByteBuffer entry = bytes(position, DOCUMENT_BYTES);
      long documentStart = entry.getLong();
      int idBytes = entry.getInt();
      position += DOCUMENT_BYTES;
      long smallest = i == 0 ? 0 : documentStarts[i - 1] + 1;
      check(
          documentStart >= smallest && documentStart < numTokens && (i > 0 || documentStart == 0),
          "document " + i + " starts at token " + documentStart);
      check(
          idBytes >= 0 && idBytes <= MAX_ID_BYTES && idBytes <= end - position,
          "the id of document " + i + " has " + idBytes + " bytes");
      documentStarts[i] = documentStart;
      documentIds[i] = utf8(bytes(position, idBytes), i);
      position += idBytes;
    }
    check(position == end, "its document table is longer than its documents");
    check((numTokens == 0) == (documentStarts.length == 0), "tokens and documents disagree");
  }

  private void checkTokens() {
    for (long i = 0; i < numTokens; i++) {
      int token = get(i);
      if (token < 0 || token >= vocabularySize) {
        throw corrupt(
            "token " + i + " is " + token + ", outside its vocabulary of " + vocabularySize);
      }
    }
  }

  private String utf8(ByteBuffer bytes, int document) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw corrupt("the id of document " + document + " is not UTF-8");
    }
  }

  private ByteBuffer bytes(long position, int length) {
    byte[] bytes = new byte[length];
    file.read(position, bytes, 0, length);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void check(boolean condition, String problem) {
    if (!condition) {
      throw corrupt(problem);
    }
  }

  private CorruptFileException corrupt(String problem) {
    return new CorruptFileException(
        "%s is not a sound token file: %s; prepare the data again."
            .formatted(file.file(), problem));
  }
}
