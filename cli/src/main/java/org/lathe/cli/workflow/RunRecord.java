package org.lathe.cli.workflow;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;

/**
 * What a run was asked for and made of: RUN/run.json.
 *
 * @param kind "trained" or "pruned"
 * @param config every key of the configuration, as a tree
 * @param configHash of what decides the numbers; a checkpoint of another hash is not resumed
 * @param model shape of the model whose checkpoints lie in the run; slim for a pruned run. Of an
 *     encoder, its blocks
 * @param memory the objective it was trained with
 * @param dataDirectory prepared data, as given
 * @param dataSha256 of the training tokens
 * @param parent run of the teacher, or "" for a trained run
 * @param encoder what the run holds beside the blocks where it is an encoder with a task; absent
 *     for a language model
 * @param versions of Lathe, TensorFlow and Java, and the operating system
 */
record RunRecord(
    String kind,
    JsonNode config,
    String configHash,
    TransformerConfig model,
    MemoryConfig memory,
    String dataDirectory,
    String dataSha256,
    String parent,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable EncoderRecord encoder,
    Map<String, String> versions) {
  static final String TRAINED = "trained";
  static final String PRUNED = "pruned";
}
