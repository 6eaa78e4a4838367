package org.lathe.training.data;

import com.google.common.base.Preconditions;
import com.google.common.io.BaseEncoding;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lathe.training.files.FramedFile;
import org.lathe.training.files.FramedFileWriter;
import org.lathe.training.files.Storage;

/**
 * Writes a {@link TokenFile} document by document; complete only after {@link #finish()}. The same
 * documents give the same bytes. Nothing is synced here.
 */
public final class TokenFileWriter implements AutoCloseable {
  private final FramedFileWriter out;
  private final int vocabularySize;
  private final byte[] fingerprint;
  private final List<Long> documentStarts = new ArrayList<>();
  private final List<byte[]> documentIds = new ArrayList<>();
  private long numTokens;

  /**
   * Starts a file.
   *
   * @param tokenizerFingerprint 64 hexadecimal digits; its first 16 bytes are the file's id
   * @throws IOException when the file exists or cannot be written
   */
  public TokenFileWriter(
      Storage storage, Path path, int vocabularySize, String tokenizerFingerprint)
      throws IOException {
    Preconditions.checkArgument(
        vocabularySize > 0, "vocabularySize (%s) must be positive", vocabularySize);
    this.vocabularySize = vocabularySize;
    fingerprint = BaseEncoding.base16().lowerCase().decode(tokenizerFingerprint);
    Preconditions.checkArgument(
        fingerprint.length == TokenFile.FINGERPRINT_BYTES,
        "\"%s\" is no SHA-256",
        tokenizerFingerprint);
    byte[] id = Arrays.copyOf(fingerprint, FramedFile.ID_BYTES);
    out = new FramedFileWriter(storage, path, TokenFile.KIND, TokenFile.VERSION, id);
  }

  /**
   * Adds a document; one without tokens is left out.
   *
   * @throws IndexOutOfBoundsException when a token is outside the vocabulary
   * @throws IllegalArgumentException when the id is longer than 4096 bytes
   */
  public void add(String documentId, int[] tokens) throws IOException {
    if (tokens.length == 0) {
      return;
    }
    byte[] id = documentId.getBytes(StandardCharsets.UTF_8);
    Preconditions.checkArgument(
        id.length <= TokenFile.MAX_ID_BYTES, "the document id \"%s\" is too long", documentId);
    documentStarts.add(numTokens);
    documentIds.add(id);
    boolean isShort = TokenFile.tokenBytes(vocabularySize) == Short.BYTES;
    for (int token : tokens) {
      Preconditions.checkElementIndex(token, vocabularySize, "token");
      if (isShort) {
        out.writeShort(token);
      } else {
        out.writeInt(token);
      }
    }
    numTokens += tokens.length;
  }

  /** Tokens written so far. */
  public long size() {
    return numTokens;
  }

  /** Documents written so far. */
  public int numDocuments() {
    return documentStarts.size();
  }

  /** Completes the file. */
  public void finish() throws IOException {
    for (int i = 0; i < documentStarts.size(); i++) {
      out.writeLong(documentStarts.get(i));
      out.writeInt(documentIds.get(i).length);
      out.write(documentIds.get(i));
    }
    out.writeLong(numTokens);
    out.writeInt(documentStarts.size());
    out.writeInt(vocabularySize);
    out.writeInt(TokenFile.tokenBytes(vocabularySize));
    out.write(fingerprint);
    out.finish();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
