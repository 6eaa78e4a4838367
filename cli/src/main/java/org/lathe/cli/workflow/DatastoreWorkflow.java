package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.datastore.BuildEstimate;
import org.lathe.training.datastore.Datastore;
import org.lathe.training.datastore.DatastoreBuilder;
import org.lathe.training.datastore.DatastoreCheck;
import org.lathe.training.datastore.DatastoreEditor;
import org.lathe.training.datastore.DocumentPattern;
import org.lathe.training.datastore.ModelEncoder;
import org.lathe.training.datastore.StoreIdentity;
import org.lathe.training.datastore.StoredDocument;

/** {@code lathe datastore}: the external memory on disk and its documents. */
final class DatastoreWorkflow {
  /** More documents are counted, not listed; --json lists them all. */
  private static final int LISTED_DOCUMENTS = 20;

  private static final int SECONDS_PER_MINUTE = 60;

  private DatastoreWorkflow() {}

  static Outcome run(DatastoreRequest request, RunContext context) {
    if (request instanceof DatastoreRequest.Build build) {
      return build(build, context);
    } else if (request instanceof DatastoreRequest.Add add) {
      return add(add, context);
    } else if (request instanceof DatastoreRequest.Remove remove) {
      return remove(remove, context);
    } else if (request instanceof DatastoreRequest.Compact compact) {
      return compact(compact, context);
    } else if (request instanceof DatastoreRequest.Info info) {
      return info(info, context);
    }
    return verify((DatastoreRequest.Verify) request, context);
  }

  private static Outcome build(DatastoreRequest.Build request, RunContext context) {
    try (StoreText text =
        StoreText.open(context.storage(), request.run(), request.text(), request.overrides())) {
      StoreIdentity identity = text.identity(request.separateDocuments());
      return encode(
          DatastoreBuilder.forNew(context.storage(), request.store(), identity),
          text,
          request.store(),
          context);
    }
  }

  private static Outcome add(DatastoreRequest.Add request, RunContext context) {
    try (StoreText text =
        StoreText.open(context.storage(), request.run(), request.text(), request.overrides())) {
      DatastoreBuilder builder =
          DatastoreBuilder.forAdding(
              context.storage(),
              request.store(),
              text.modelFingerprint(),
              text.tokenizerFingerprint(),
              request.run().toString());
      return encode(builder, text, request.store(), context);
    }
  }

  private static Outcome encode(
      DatastoreBuilder builder, StoreText text, Path store, RunContext context) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("store", store.toString());
    facts.put("source", text.text().name());
    try (ModelEncoder encoder = text.encoder();
        Progress progress = new Progress(context.console())) {
      BuildEstimate estimate = builder.estimate(text.text());
      double seconds = builder.estimateSeconds(text.text(), encoder, System::nanoTime);
      String plan = describe(estimate, seconds);
      if (context.dryRun()) {
        facts.put("items", estimate.numItems());
        facts.put("documents", estimate.numDocuments());
        facts.put("chunks", estimate.numChunks());
        facts.put("chunksDone", estimate.chunksDone());
        facts.put("encodedPositions", estimate.numEncodedPositions());
        facts.put("sizeBytes", estimate.sizeBytes());
        facts.put("freeBytes", estimate.freeBytes());
        facts.put("seconds", seconds);
        return Outcome.done(facts, ImmutableList.of("would write " + store + ": " + plan));
      }
      context.console().note(plan);
      DatastoreBuilder.Ending ending =
          builder.run(text.text(), encoder, progress, new StopSignals());
      facts.put("ending", ConfigSchema.wordOf(ending));
      if (ending == DatastoreBuilder.Ending.STOPPED) {
        int done = builder.estimate(text.text()).chunksDone();
        facts.put("chunks", estimate.numChunks());
        facts.put("chunksDone", done);
        return Outcome.interrupted(
            facts,
            ImmutableList.of(
                "stopped after chunk "
                    + done
                    + " of "
                    + estimate.numChunks()
                    + "; the same command continues"));
      }
      DatastoreCheck.Summary summary = DatastoreCheck.summary(context.storage(), store);
      facts.putAll(facts(summary));
      String what =
          ending == DatastoreBuilder.Ending.ALREADY_THERE
              ? " holds '" + text.text().name() + "' already: "
              : ": ";
      return Outcome.done(
          facts,
          ImmutableList.of(
              store + what + line(summary),
              "next: lathe datastore info " + store + " --documents"));
    }
  }

  private static String describe(BuildEstimate estimate, double seconds) {
    double left = seconds * (estimate.numChunks() - estimate.chunksDone()) / estimate.numChunks();
    return String.format(
        Locale.ROOT,
        "%,d items of %,d documents, %,d bytes on disk (%,d free), about %d:%02d to encode%s",
        estimate.numItems(),
        estimate.numDocuments(),
        estimate.sizeBytes(),
        estimate.freeBytes(),
        (long) left / SECONDS_PER_MINUTE,
        (long) left % SECONDS_PER_MINUTE,
        estimate.chunksDone() == 0
            ? ""
            : ", continuing after chunk " + estimate.chunksDone() + " of " + estimate.numChunks());
  }

  private static Outcome remove(DatastoreRequest.Remove request, RunContext context) {
    DatastoreEditor editor = new DatastoreEditor(context.storage(), request.store());
    String would = context.dryRun() ? "would remove " : "removed ";
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("store", request.store().toString());
    List<String> lines = new ArrayList<>();
    if (request.unfinished()) {
      Optional<String> dropped = editor.dropUnfinished(context.dryRun());
      facts.put("unfinished", dropped.orElse(""));
      lines.add(
          dropped
              .map(source -> would + "the unfinished text '" + source + "'")
              .orElse("no text is unfinished"));
    }
    if (!request.names().isEmpty() || !request.patterns().isEmpty()) {
      requireAll(request, editor);
      Predicate<String> meant = name -> false;
      for (String name : request.names()) {
        meant = meant.or(DocumentPattern.name(name));
      }
      for (String pattern : request.patterns()) {
        meant = meant.or(DocumentPattern.glob(pattern));
      }
      DatastoreEditor.Removal removal = editor.remove(meant, context.dryRun());
      facts.put("removed", removal.names());
      facts.put("items", removal.numItems());
      lines.add(
          String.format(
              Locale.ROOT,
              "%s%,d documents with %,d items",
              would,
              removal.names().size(),
              removal.numItems()));
      removal.names().stream().limit(LISTED_DOCUMENTS).forEach(name -> lines.add("  " + name));
      if (removal.names().size() > LISTED_DOCUMENTS) {
        lines.add("  ...");
      }
      lines.add(
          (context.dryRun() ? "no search would find them" : "no search finds them any more")
              + "; their bytes stay on disk until 'lathe datastore compact "
              + request.store()
              + "'");
    }
    return Outcome.done(facts, lines);
  }

  /** A name that is mistyped must not look removed; nothing is removed then. */
  private static void requireAll(DatastoreRequest.Remove request, DatastoreEditor editor) {
    Map<String, Predicate<String>> all = new LinkedHashMap<>();
    request.names().forEach(name -> all.put(name, DocumentPattern.name(name)));
    request.patterns().forEach(pattern -> all.put(pattern, DocumentPattern.glob(pattern)));
    all.forEach(
        (given, meant) -> {
          if (editor.remove(meant, true).names().isEmpty()) {
            throw new ConfigException(
                "no document of "
                    + request.store()
                    + " is meant by '"
                    + given
                    + "', so nothing was removed; 'lathe datastore info "
                    + request.store()
                    + " --documents' lists them");
          }
        });
  }

  private static Outcome compact(DatastoreRequest.Compact request, RunContext context) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("store", request.store().toString());
    if (context.dryRun()) {
      DatastoreCheck.Summary summary = DatastoreCheck.summary(context.storage(), request.store());
      facts.put("removedItems", summary.numRemovedItems());
      return Outcome.done(
          facts,
          ImmutableList.of(
              String.format(
                  Locale.ROOT,
                  "would delete %,d items of %,d documents",
                  summary.numRemovedItems(),
                  summary.numRemovedDocuments())));
    }
    try (Progress progress = new Progress(context.console())) {
      DatastoreEditor.Compaction done =
          new DatastoreEditor(context.storage(), request.store()).compact(progress);
      facts.put("removedItems", done.numItems());
      facts.put("sizeBytesBefore", done.sizeBytesBefore());
      facts.put("sizeBytes", done.sizeBytesAfter());
      return Outcome.done(
          facts,
          ImmutableList.of(
              String.format(
                  Locale.ROOT,
                  "%s: %,d removed items deleted, %,d bytes before, %,d now",
                  request.store(),
                  done.numItems(),
                  done.sizeBytesBefore(),
                  done.sizeBytesAfter())));
    }
  }

  private static Outcome info(DatastoreRequest.Info request, RunContext context) {
    DatastoreCheck.Summary summary = DatastoreCheck.summary(context.storage(), request.store());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("store", request.store().toString());
    facts.putAll(facts(summary));
    List<String> lines = new ArrayList<>();
    lines.add(request.store() + ": " + line(summary));
    StoreIdentity identity = summary.identity();
    lines.add(
        String.format(
            Locale.ROOT,
            "keys of width %d, %s, window %d, stride %d, documents %s",
            identity.width(),
            identity.metric().name().toLowerCase(Locale.ROOT),
            identity.window(),
            identity.stride(),
            identity.separateDocuments() ? "read one by one" : "read behind each other"));
    lines.add("model " + identity.modelFingerprint());
    lines.add("tokenizer " + identity.tokenizerFingerprint());
    summary
        .unfinished()
        .ifPresent(source -> lines.add("the text '" + source + "' is not finished"));
    if (request.documents()) {
      List<Map<String, Object>> documents = new ArrayList<>();
      try (Datastore store = Datastore.open(context.storage(), request.store())) {
        for (StoredDocument document : store.documents()) {
          documents.add(
              Map.of(
                  "name",
                  document.name(),
                  "source",
                  document.source(),
                  "items",
                  document.numItems(),
                  "live",
                  document.live()));
          lines.add(
              String.format(
                  Locale.ROOT,
                  "%,12d  %s  %s",
                  document.numItems(),
                  document.live() ? "live   " : "removed",
                  document.name()));
        }
      }
      facts.put("documentList", documents);
    }
    return Outcome.done(facts, lines);
  }

  private static Outcome verify(DatastoreRequest.Verify request, RunContext context) {
    try (Progress progress = new Progress(context.console())) {
      DatastoreCheck.Summary summary =
          DatastoreCheck.verify(context.storage(), request.store(), progress);
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("store", request.store().toString());
      facts.putAll(facts(summary));
      return Outcome.done(
          facts,
          ImmutableList.of(
              request.store() + " is sound: " + line(summary),
              "checksums, ids, counts and order of all files; values are tokens, keys are finite"));
    }
  }

  private static Map<String, Object> facts(DatastoreCheck.Summary summary) {
    StoreIdentity identity = summary.identity();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("generation", summary.generation());
    facts.put("items", summary.numItems());
    facts.put("removedItems", summary.numRemovedItems());
    facts.put("documents", summary.numDocuments());
    facts.put("removedDocuments", summary.numRemovedDocuments());
    facts.put("parts", summary.numParts());
    facts.put("sizeBytes", summary.sizeBytes());
    facts.put("bytesPerItem", summary.bytesPerItem());
    facts.put("width", identity.width());
    facts.put("metric", identity.metric().name().toLowerCase(Locale.ROOT));
    facts.put("scoreScale", identity.scoreScale());
    facts.put("window", identity.window());
    facts.put("stride", identity.stride());
    facts.put("separateDocuments", identity.separateDocuments());
    facts.put("modelFingerprint", identity.modelFingerprint());
    facts.put("tokenizerFingerprint", identity.tokenizerFingerprint());
    facts.put("unfinished", summary.unfinished().orElse(""));
    return facts;
  }

  private static String line(DatastoreCheck.Summary summary) {
    return String.format(
        Locale.ROOT,
        "%,d items of %,d documents, %,d bytes (%.1f an item)%s",
        summary.numItems(),
        summary.numDocuments(),
        summary.sizeBytes(),
        summary.bytesPerItem(),
        summary.numRemovedDocuments() == 0
            ? ""
            : String.format(
                Locale.ROOT,
                "; %,d removed items of %,d documents wait for compaction",
                summary.numRemovedItems(),
                summary.numRemovedDocuments()));
  }
}
