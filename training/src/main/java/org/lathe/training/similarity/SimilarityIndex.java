package org.lathe.training.similarity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.BytesTermAttribute;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LogDocMergePolicy;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TermStatistics;
import org.apache.lucene.search.TopScoreDocCollectorManager;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.BytesRef;

/** Lucene's index of consecutive documents. Searches may run in several threads. */
final class SimilarityIndex implements AutoCloseable {
  private static final String FIELD = "tokens";

  private final DirectoryReader reader;
  private final IndexSearcher searcher;
  private final int firstDocument;
  private final SimilarityConfig config;
  private final TermCounts counts;

  private SimilarityIndex(
      DirectoryReader reader, int firstDocument, SimilarityConfig config, TermCounts counts) {
    this.reader = reader;
    this.firstDocument = firstDocument;
    this.config = config;
    this.counts = counts;
    searcher = new CountingSearcher(reader, counts);
    searcher.setSimilarity(similarity(config));
    // every query comes once
    searcher.setQueryCache(null);
  }

  /**
   * Indexes the documents from, inclusive, to, exclusive.
   *
   * @param counts of all documents, in whatever shard
   */
  static SimilarityIndex build(
      Directory directory,
      TokenDocuments documents,
      int from,
      int to,
      SimilarityConfig config,
      TermCounts counts)
      throws IOException {
    IndexWriterConfig writing =
        new IndexWriterConfig()
            .setSimilarity(similarity(config))
            // merges neighbours only: Lucene's numbers stay in the order of insertion
            .setMergePolicy(new LogDocMergePolicy())
            .setMergeScheduler(new SerialMergeScheduler());
    FieldType type = new FieldType();
    type.setIndexOptions(IndexOptions.DOCS_AND_FREQS);
    type.freeze();
    try (IndexWriter writer = new IndexWriter(directory, writing)) {
      for (int i = from; i < to; i++) {
        Document document = new Document();
        document.add(new Field(FIELD, new TokenIds(documents.tokens(i)), type));
        writer.addDocument(document);
      }
      writer.forceMerge(1);
    }
    return new SimilarityIndex(DirectoryReader.open(directory), from, config, counts);
  }

  /** The most similar documents of this index, the document itself left out. */
  SimilaritySearch.Hits search(int self, int[] tokens) throws IOException {
    // one more, since the document may find itself; without a threshold every hit is scored
    TopScoreDocCollectorManager best =
        new TopScoreDocCollectorManager(config.hits() + 1, Integer.MAX_VALUE);
    ScoreDoc[] found = searcher.search(query(tokens), best).scoreDocs;
    int[] documents = new int[Math.min(found.length, config.hits() + 1)];
    float[] scores = new float[documents.length];
    int length = 0;
    for (ScoreDoc hit : found) {
      int document = firstDocument + hit.doc;
      if (document != self && length < config.hits()) {
        documents[length] = document;
        scores[length++] = hit.score;
      }
    }
    return new SimilaritySearch.Hits(
        Arrays.copyOf(documents, length), Arrays.copyOf(scores, length));
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }

  private Query query(int[] tokens) {
    BooleanQuery.Builder query = new BooleanQuery.Builder();
    for (TermCounts.Term term : counts.rarest(TermCounts.terms(tokens), config.queryTerms())) {
      Query one = new TermQuery(new Term(FIELD, bytes(term.token())));
      query.add(
          term.count() == 1 ? one : new BoostQuery(one, term.count()), BooleanClause.Occur.SHOULD);
    }
    return query.build();
  }

  private static BM25Similarity similarity(SimilarityConfig config) {
    return new BM25Similarity((float) config.k1(), (float) config.b());
  }

  private static BytesRef bytes(int token) {
    return new BytesRef(ByteBuffer.allocate(Integer.BYTES).putInt(token).array());
  }

  private static int token(BytesRef bytes) {
    return ByteBuffer.wrap(bytes.bytes, bytes.offset, bytes.length).getInt();
  }

  /** Answers with the numbers of all shards, so that scores can be compared between them. */
  private static final class CountingSearcher extends IndexSearcher {
    private final TermCounts counts;

    CountingSearcher(DirectoryReader reader, TermCounts counts) {
      super(reader);
      this.counts = counts;
    }

    @Override
    public CollectionStatistics collectionStatistics(String field) {
      return new CollectionStatistics(
          field,
          counts.numDocuments(),
          counts.numDocuments(),
          counts.totalTokens(),
          counts.totalTerms());
    }

    @Override
    public TermStatistics termStatistics(Term term, int docFreq, long totalTermFreq) {
      int token = token(term.bytes());
      return new TermStatistics(
          term.bytes(), counts.documentFrequency(token), counts.frequency(token));
    }
  }

  /** Token ids as terms of four bytes. */
  private static final class TokenIds extends TokenStream {
    private final BytesTermAttribute term = addAttribute(BytesTermAttribute.class);
    private final int[] tokens;
    private int next;

    TokenIds(int[] tokens) {
      this.tokens = tokens;
    }

    @Override
    public void reset() {
      next = 0;
    }

    @Override
    public boolean incrementToken() {
      if (next == tokens.length) {
        return false;
      }
      clearAttributes();
      term.setBytesRef(bytes(tokens[next++]));
      return true;
    }
  }
}
