package org.lathe.training.text;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.base.Preconditions;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;

/**
 * Learns a byte-level byte-pair encoding: starts from the 256 bytes and joins the most frequent
 * neighbouring pair, again and again, never across pre-tokens. Equal counts are decided by the
 * smaller ids, so that the same text always gives the same encoding.
 */
public final class BytePairTrainer {
  /** Longer pre-tokens (data in source code) teach nothing and are left out of the counts. */
  static final int MAX_PRETOKEN_BYTES = 256;

  /** A pair seen only once is not worth an entry. */
  private static final long MIN_PAIR_COUNT = 2;

  private BytePairTrainer() {}

  /**
   * Trains on documents.
   *
   * @param vocabularySize entries wanted, bytes included; the result has fewer when the text does
   *     not hold enough pairs that repeat
   * @return a {@code tokenizer.json} for Hugging Face tokenizers; byte b has id b, merges follow
   * @throws IllegalArgumentException when vocabularySize is below 256
   */
  public static String train(Iterable<String> documents, int vocabularySize) {
    Preconditions.checkArgument(
        vocabularySize >= ByteLevel.NUM_BYTES,
        "vocabularySize (%s) must be at least 256, one entry per byte",
        vocabularySize);
    PairMerger merger = new PairMerger(countPretokens(documents));
    Map<String, Integer> vocabulary = new LinkedHashMap<>();
    List<String> strings = new ArrayList<>();
    for (int b = 0; b < ByteLevel.NUM_BYTES; b++) {
      strings.add(String.valueOf(ByteLevel.character(b)));
      vocabulary.put(strings.get(b), b);
    }
    List<String> merges = new ArrayList<>();
    while (vocabulary.size() < vocabularySize) {
      PairMerger.Pair best = merger.best();
      if (best == null || best.count() < MIN_PAIR_COUNT) {
        break;
      }
      String left = strings.get(best.left());
      String right = strings.get(best.right());
      // two different pairs may spell the same token; they share its id
      int id = vocabulary.computeIfAbsent(left + right, key -> strings.size());
      if (id == strings.size()) {
        strings.add(left + right);
      }
      merges.add(left + ' ' + right);
      merger.merge(best, id);
    }
    return json(vocabulary, merges);
  }

  private static Map<String, Integer> countPretokens(Iterable<String> documents) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    for (String document : documents) {
      Matcher matcher = ByteLevel.PATTERN.matcher(Texts.wellFormed(document));
      while (matcher.find()) {
        if (matcher.end() - matcher.start() <= MAX_PRETOKEN_BYTES) {
          counts.merge(matcher.group(), 1, Integer::sum);
        }
      }
    }
    counts
        .keySet()
        .removeIf(key -> key.getBytes(StandardCharsets.UTF_8).length > MAX_PRETOKEN_BYTES);
    return counts;
  }

  private static String json(Map<String, Integer> vocabulary, List<String> merges) {
    JsonMapper mapper = JsonMapper.builder().build();
    ObjectNode root = mapper.createObjectNode();
    root.put("version", "1.0").putNull("truncation").putNull("padding");
    root.putArray("added_tokens");
    root.putNull("normalizer");
    ObjectNode sequence = root.putObject("pre_tokenizer").put("type", "Sequence");
    ArrayNode steps = sequence.putArray("pretokenizers");
    ObjectNode split = steps.addObject().put("type", "Split");
    split.putObject("pattern").put("Regex", ByteLevel.REGEX);
    split.put("behavior", "Isolated").put("invert", false);
    byteLevel(steps.addObject());
    root.putNull("post_processor");
    byteLevel(root.putObject("decoder"));
    ObjectNode model = root.putObject("model").put("type", "BPE").putNull("dropout");
    model.putNull("unk_token").putNull("continuing_subword_prefix");
    model.putNull("end_of_word_suffix").put("fuse_unk", false).put("byte_fallback", false);
    ObjectNode vocab = model.putObject("vocab");
    vocabulary.forEach(vocab::put);
    ArrayNode mergeList = model.putArray("merges");
    merges.forEach(mergeList::add);
    return root.toPrettyString() + '\n';
  }

  private static void byteLevel(ObjectNode node) {
    node.put("type", "ByteLevel").put("add_prefix_space", false);
    node.put("trim_offsets", false).put("use_regex", false);
  }
}
