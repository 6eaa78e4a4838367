package org.lathe.training.datastore;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.lathe.training.data.Document;
import org.lathe.training.data.TokenFile;
import org.lathe.training.text.Tokenizer;

/** The tokens of documents behind each other, from which a store is made. */
public interface SourceText {
  /** For people; not longer than 1024 characters. */
  String name();

  /** SHA-256 of tokens and documents: equal means that equal items come from them. */
  String sha256();

  /** Number of tokens. */
  long size();

  int numDocuments();

  /** Position of a document's first token. */
  long documentStart(int document);

  String documentId(int document);

  /** Copies the tokens [position, position + length) into target from offset on. */
  void read(long position, int[] target, int offset, int length);

  /**
   * The first tokens of a file.
   *
   * @param maxTokens 0 = all
   */
  static SourceText of(String name, TokenFile file, long maxTokens) {
    long size = maxTokens == 0 ? file.size() : Math.min(maxTokens, file.size());
    int numDocuments = size == 0 ? 0 : file.documentAt(size - 1) + 1;
    String sha256 =
        Hashing.sha256()
            .hashString(file.sha256() + ' ' + size, StandardCharsets.US_ASCII)
            .toString();
    return new SourceText() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public String sha256() {
        return sha256;
      }

      @Override
      public long size() {
        return size;
      }

      @Override
      public int numDocuments() {
        return numDocuments;
      }

      @Override
      public long documentStart(int document) {
        return file.documentStart(document);
      }

      @Override
      public String documentId(int document) {
        return file.documentId(document);
      }

      @Override
      public void read(long position, int[] target, int offset, int length) {
        file.read(position, target, offset, length);
      }
    };
  }

  /** Documents as a tokenizer reads them; those without tokens are left out. */
  static SourceText of(String name, List<Document> documents, Tokenizer tokenizer) {
    List<String> ids = new ArrayList<>();
    List<int[]> tokens = new ArrayList<>();
    for (Document document : documents) {
      int[] encoded = tokenizer.encode(document.text());
      if (encoded.length > 0) {
        ids.add(document.id());
        tokens.add(encoded);
      }
    }
    return of(name, ids, tokens);
  }

  /** Documents in memory. */
  static SourceText of(String name, List<String> ids, List<int[]> documents) {
    int[] starts = new int[documents.size() + 1];
    for (int i = 0; i < documents.size(); i++) {
      starts[i + 1] = Math.addExact(starts[i], documents.get(i).length);
    }
    int[] all = new int[starts[documents.size()]];
    Hasher hasher = Hashing.sha256().newHasher();
    for (int i = 0; i < documents.size(); i++) {
      System.arraycopy(documents.get(i), 0, all, starts[i], documents.get(i).length);
      hasher.putInt(ids.get(i).length()).putUnencodedChars(ids.get(i));
      hasher.putInt(documents.get(i).length);
      for (int token : documents.get(i)) {
        hasher.putInt(token);
      }
    }
    String sha256 = hasher.hash().toString();
    List<String> names = List.copyOf(ids);
    return new SourceText() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public String sha256() {
        return sha256;
      }

      @Override
      public long size() {
        return all.length;
      }

      @Override
      public int numDocuments() {
        return names.size();
      }

      @Override
      public long documentStart(int document) {
        return starts[document];
      }

      @Override
      public String documentId(int document) {
        return names.get(document);
      }

      @Override
      public void read(long position, int[] target, int offset, int length) {
        System.arraycopy(all, Math.toIntExact(position), target, offset, length);
      }
    };
  }
}
