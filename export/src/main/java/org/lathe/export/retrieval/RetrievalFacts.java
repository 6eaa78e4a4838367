package org.lathe.export.retrieval;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.training.datastore.IvfIndex;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;

/** What a client must know about the external memory of a served model. */
public final class RetrievalFacts {
  private RetrievalFacts() {}

  /** JSON types only. */
  public static Map<String, Object> of(RetrievalPlan plan) {
    IvfIndex index = plan.memory().index();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("neighbors", plan.neighbors());
    facts.put("index", plan.memory().exact() ? "exact" : "ivf");
    facts.put("numLists", index.numLists());
    facts.put("probes", plan.probes());
    facts.put("encoding", lower(index.code().encoding()));
    facts.put("metric", lower(index.metric()));
    facts.put("numItems", plan.memory().values().length);
    facts.put("numDocuments", plan.memory().documents().size());
    facts.put("numBytes", plan.memory().numBytes());
    facts.put("contentFingerprint", plan.memory().contentFingerprint());
    MemoryMixing mixing = plan.mixing();
    Map<String, Object> mixed = new LinkedHashMap<>();
    mixed.put("tuned", plan.tuned());
    mixed.put("form", lower(mixing.recent().form()));
    mixed.put("temperature", mixing.recent().temperature());
    mixed.put("interpolation", mixing.recent().interpolation());
    mixed.put("externalShared", mixing.external().shared());
    mixed.put("externalTemperature", mixing.external().temperature());
    mixed.put("externalInterpolation", mixing.external().interpolation().constantWeight());
    facts.put("mixing", mixed);
    return facts;
  }

  /** For people: a section of the card. */
  public static String markdown(RetrievalPlan plan, MemoryConfig memory, double temperature) {
    IvfIndex index = plan.memory().index();
    MemoryMixing mixing = plan.mixing();
    StringBuilder text = new StringBuilder("\n## External memory\n\n");
    text.append(
        String.format(
            Locale.ROOT,
            "%,d items of %,d documents, %,d bytes in the server's memory (keys %s, by %s). ",
            plan.memory().values().length,
            plan.memory().documents().size(),
            plan.memory().numBytes(),
            lower(index.code().encoding()),
            lower(index.metric())));
    text.append(
        plan.memory().exact()
            ? "Every key is searched"
            : String.format(
                Locale.ROOT,
                "Of %d lists the %d nearest are searched; a row then takes up to %,d bytes more",
                index.numLists(),
                plan.probes(),
                bytesPerRow(plan)));
    text.append(", and the ").append(plan.neighbors()).append(" nearest items are used: ");
    text.append(describe(mixing))
        .append(plan.tuned() ? " (tuned).\n" : " (defaults, not tuned).\n");
    text.append(
        """

        | output | meaning |
        |---|---|
        | `memory_share` | part of the probability that comes from memory, local or external |
        | `retrieved_shares` | part that comes from each item, best first |
        | `retrieved_documents` | its document: the line of documents.jsonl, from 0 |
        | `retrieved_positions` | in that document the last token that the item read |
        | `retrieved_tokens` | the token that followed there |
        | `retrieved_scores` | its score s |

        Where fewer items are found, the rest are -1 with the score -1e30 and the share 0.
        """);
    text.append("`score` does not ask the external memory");
    text.append(
        memory.objective() == MemoryConfig.MemoryObjective.NONE
            ? ".\n"
            : "; its local memory has the temperature " + temperature + ".\n");
    return text.toString();
  }

  private static String describe(MemoryMixing mixing) {
    String recent =
        mixing.recent().form() == Mixing.Form.SHARED
            ? "local memory in the softmax at temperature " + mixing.recent().temperature()
            : "local memory with weight "
                + mixing.recent().interpolation()
                + " at temperature "
                + mixing.recent().temperature();
    return recent
        + (mixing.external().shared() ? ", items in the same softmax" : "")
        + ", items interpolated with weight "
        + mixing.external().interpolation().constantWeight()
        + " at temperature "
        + mixing.external().temperature();
  }

  /** Of the gathered keys: probes, each as long as the longest list. */
  private static long bytesPerRow(RetrievalPlan plan) {
    long longest = 0;
    for (int[] list : plan.memory().index().items()) {
      longest = Math.max(longest, list.length);
    }
    return plan.probes() * longest * plan.memory().index().width() * Float.BYTES;
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
