package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import org.lathe.export.savedmodel.EncoderExportRequest;
import org.lathe.export.savedmodel.EncoderExporter;
import org.lathe.export.verification.EncoderCase;
import org.lathe.export.verification.ModelVerifier;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.pretrained.EncoderHead;
import org.lathe.training.pretrained.HfDirectoryWriter;
import org.lathe.training.pretrained.PretrainedEncoder;
import org.lathe.training.pretrained.PretrainedReader;
import org.lathe.training.text.TokenizerDefinition;
import org.tensorflow.ndarray.Shape;

/**
 * {@code lathe export --format hugging-face}: the encoder of a run and its head as a directory that
 * Hugging Face's classes load, read back and compared with the run before it appears.
 */
final class HuggingFaceExport {
  private static final String POOLER = Encoder.PREFIX + "/pooler/";

  private final RunDirectory run;
  private final EncoderConfig config;
  private final HeadConfig head;
  private final Weights weights;
  private double maxDifference;
  private long numParameters;

  private HuggingFaceExport(RunDirectory run, EncoderRecord encoder) {
    this.run = run;
    this.config = encoder.config();
    this.head = encoder.head();
    this.weights = run.encoderWeights(head);
  }

  static Outcome run(
      RunDirectory run, EncoderRecord encoder, ExportRequest request, RunContext context) {
    return new HuggingFaceExport(run, encoder).run(encoder.labels(), request, context);
  }

  private Outcome run(List<String> labels, ExportRequest request, RunContext context) {
    Path out = request.out();
    if (context.dryRun()) {
      return Outcome.done(
          Map.of("path", out.toString(), "numParameters", weights.numValues()),
          List.of(
              String.format(
                  Locale.ROOT, "would write %s: %,d parameters", out, weights.numValues())));
    }
    StagedDirectory.sweep(context.storage(), out.toAbsolutePath().resolveSibling(""));
    context.console().note("exporting " + run.path() + " and comparing it with the run");
    PretrainedEncoder encoder =
        new PretrainedEncoder(
            config,
            weights.startingWith(Encoder.PREFIX + "/"),
            null,
            run.tokenizerJson(),
            List.of());
    Weights headWeights = weights.startingWith(head.kind().prefix() + "/");
    HfDirectoryWriter.write(
        context.storage(),
        out,
        encoder,
        new EncoderHead(head, headWeights, labels),
        directory -> compare(directory, context));
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", out.toString());
    facts.put("numParameters", numParameters);
    long numFilled = numParameters - weights.numValues();
    if (HfDirectoryWriter.leavesPoolerOut(config, head)) {
      numFilled += weights.startingWith(Encoder.PREFIX + "/pooler/").numValues();
      context.console().note("the pooler, which the head does not read, has no place there");
    }
    facts.put("numFilled", numFilled);
    facts.put("maxDifference", maxDifference);
    ImmutableList.Builder<String> lines = ImmutableList.builder();
    lines.add(
        String.format(
            Locale.ROOT,
            "%s: %,d parameters; read back, largest difference to the run %.2g",
            out,
            numParameters,
            maxDifference));
    if (numFilled > 0) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%,d of them are zeros that stand for what was pruned, since a Hugging Face model has"
                  + " one shape for all layers; the slim and fast one is 'lathe export %s --out"
                  + " models/NAME'",
              numFilled,
              run.path()));
    }
    return Outcome.done(facts, lines.build());
  }

  private void compare(Path directory, RunContext context) {
    PretrainedEncoder again =
        PretrainedReader.read(context.storage(), directory, OptionalInt.empty());
    int paddingId = TokenizerDefinition.fromJson(run.tokenizerJson()).padId();
    // BERT's pooler is what a classifier's own dense layer is written as
    EncoderConfig readConfig = again.config().withPooler(config.poolerSize());
    Weights read = new Weights().putAll(weights.startingWith(head.kind().prefix() + "/"));
    for (String name : again.weights().names()) {
      if (config.hasPooler() || !name.startsWith(POOLER)) {
        read.put(name, again.weights().get(name).shape(), again.weights().get(name).values());
      }
    }
    numParameters = read.numValues();
    List<EncoderCase> expected = cases(config, weights, paddingId);
    List<EncoderCase> found = cases(readConfig, read, paddingId);
    maxDifference = EncoderCase.maxDifference(expected, found);
    if (!(maxDifference <= ModelVerifier.MAX_DIFFERENCE)) {
      throw new FailedException(
          "what was written answers differently from the run, by "
              + maxDifference
              + ", expected at most "
              + ModelVerifier.MAX_DIFFERENCE
              + "; nothing was published. Please report it with the configuration");
    }
  }

  /** Answers to the sequences that every export is compared by. */
  private List<EncoderCase> cases(EncoderConfig encoder, Weights from, int paddingId) {
    boolean masked = head.kind() == HeadConfig.Kind.MASKED_LM;
    HeadConfig asked = masked ? HeadConfig.SPAN : head;
    EncoderConfig read =
        head.kind() == HeadConfig.Kind.POOLED_CLASSIFIER ? encoder : encoder.withPooler(0);
    Weights used = new Weights();
    for (String name : from.names()) {
      boolean belongs =
          name.startsWith(Encoder.PREFIX + "/") || name.startsWith(asked.kind().prefix() + "/");
      boolean unread = name.startsWith(POOLER) && !read.hasPooler();
      if (belongs && !unread) {
        used.put(name, from.get(name).shape(), from.get(name).values());
      }
    }
    if (masked) {
      // every position seen through two fixed columns: the encoder is what may have changed
      float[] kernel = new float[encoder.transformer().hiddenSize() * 2];
      for (int i = 0; i < kernel.length; i++) {
        kernel[i] = (float) Math.sin(i + 1.0);
      }
      String output = asked.kind().prefix() + "/output";
      used.put(output + "/kernel", Shape.of(kernel.length / 2, 2), kernel);
      used.put(output + "/bias", Shape.of(2), new float[2]);
    }
    return EncoderExporter.referenceCases(
        EncoderExportRequest.of(read, asked, used, run.path(), 1, paddingId));
  }
}
