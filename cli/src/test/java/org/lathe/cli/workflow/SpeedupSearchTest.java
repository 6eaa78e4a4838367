package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.cli.progress.Console;
import org.lathe.export.latency.LatencyComparison;
import org.lathe.export.latency.LatencyReport;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.training.files.LocalStorage;

/** Candidates are numbers here: what a target asks for; served, they are as fast as is said. */
class SpeedupSearchTest {
  private static final TransformerConfig CONFIG = TransformerConfig.uniform(30, 16, 3, 4, 24, 8);

  /** Sublayers take 27 of 30 ms: at most 10x. */
  private static final LatencyTable TABLE =
      new LatencyTable(
          1,
          8,
          16,
          List.of(0.0, 1.0, 2.0, 3.0, 4.0),
          List.of(0, 8, 24),
          List.of(0.0, 1.5, 5.0),
          3.0,
          1.0);

  @TempDir Path run;

  private final List<Double> chosen = new ArrayList<>();

  @Test
  void aStructureThatFitsIsTaken() {
    assertThat(search(asked -> asked * 0.95)).isCloseTo(5.0, within(1e-9));
    assertThat(chosen).hasSize(1);
    assertThat(SpeedupSearch.facts(run, context()))
        .containsEntry("asked", 5.0)
        .hasEntrySatisfying(
            "speedupBatch1", value -> assertThat((Double) value).isCloseTo(4.75, within(1e-9)));
    assertThat(run.resolve("timing")).doesNotExist();
  }

  @Test
  void whatAKilledStartLeftIsRemoved() throws IOException {
    search(asked -> asked);
    Files.createDirectories(run.resolve("timing/full/1"));
    Files.createDirectories(run.resolve(".trash-1"));
    search(asked -> asked);
    assertThat(run).isDirectoryNotContaining(path -> !path.endsWith(SpeedupSearch.FILE));
  }

  @Test
  void theBatchSizeThatGainsLeastDecides() {
    LatencyComparison four = new LatencyComparison(report(4), report(1), 4, 4, 4);
    LatencyComparison two = new LatencyComparison(report(2), report(1), 2, 2, 2);
    assertThat(new MeasuredSpeedup(Map.of(1, four, 8, two)).smallest()).isEqualTo(2);
  }

  @Test
  void aSlowerOneIsCorrectedAndRemembered() {
    double found = search(asked -> 1 + 0.7 * (asked - 1)); // 3.8 where 5 was asked
    assertThat(1 + 0.7 * (found - 1)).isBetween(4.5, 5.5);
    assertThat(chosen).hasSizeGreaterThan(1);
    chosen.clear();
    assertThat(
            search(
                asked -> {
                  throw new AssertionError("a resumed run does not measure again");
                }))
        .isCloseTo(found, within(1e-6));
    assertThat(chosen).hasSize(1);
  }

  @Test
  void aFasterOneIsCorrectedToo() {
    assertThat(search(asked -> asked * 1.5)).isBetween(3.0, 3.7);
  }

  /** In proportion alone: 5.0, 3.3, then 11.6, which the table does not reach. */
  @Test
  void aSteepOneIsHalved() {
    DoubleUnaryOperator steep = asked -> 5 * Math.pow(asked / 4.5, 4);
    assertThat(steep.applyAsDouble(search(steep))).isBetween(4.5, 5.5);
    assertThat(chosen).hasSizeLessThan(5).allMatch(target -> target < 5.01);
  }

  /** In proportion alone the second target would be 11.1, and the table ends at 10. */
  @Test
  void nearTheLimitOfTheTableItGoesOnBelowIt() {
    assertThat(search(asked -> asked < 9 ? asked * 0.45 : 4.8)).isBetween(9.0, 10.0);
  }

  @Test
  void whatCannotBeReachedIsSaidWithAskedAndGot() {
    assertThatThrownBy(() -> search(asked -> 2.5))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("asks for 5.00, got 2.50x at batch 1")
        .hasMessageContaining("pruning.speedupTolerance");
    assertThat(run.resolve(SpeedupSearch.FILE)).doesNotExist();
    assertThat(run.resolve("timing")).doesNotExist();
  }

  @Test
  void anotherTargetIsNotMetByWhatWasFound() throws IOException {
    Files.writeString(run.resolve(SpeedupSearch.FILE), "{\"asked\": 4.0, \"plannedFor\": 4.5}");
    assertThatThrownBy(() -> search(asked -> asked))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("was begun for 4.0");
    assertThat(chosen).isEmpty();
  }

  @Test
  void aSparsityIsNotTimed() {
    SpeedupSearch search =
        new SpeedupSearch(
            run,
            config(),
            context(),
            (full, slim) -> {
              throw new AssertionError("timed");
            });
    assertThat(search.search(PruningTarget.sparsity(0.5), CONFIG, new Numbers())).isEqualTo(0.5);
  }

  private double search(DoubleUnaryOperator served) {
    SpeedupSearch search =
        new SpeedupSearch(
            run,
            config(),
            context(),
            (full, slim) -> measured(served.applyAsDouble(chosen.get(chosen.size() - 1))));
    Double found =
        search.search(PruningTarget.speedup(5, List.of(TABLE), CONFIG), CONFIG, new Numbers());
    assertThat(found).isNotNull();
    return found;
  }

  private final class Numbers implements SpeedupSearch.Candidates<Double> {
    @Override
    public Double choose(PruningTarget target) {
      double number = target.tables().isEmpty() ? target.reduction() : target.speedup();
      chosen.add(number);
      return number;
    }

    @Override
    public TransformerConfig shape(Double candidate) {
      return CONFIG;
    }

    @Override
    public Path publishFull(Path base) {
      return base;
    }

    @Override
    public Path publishSlim(Double candidate, Path base) {
      return base;
    }
  }

  private static MeasuredSpeedup measured(double speedup) {
    return new MeasuredSpeedup(
        Map.of(1, new LatencyComparison(report(speedup), report(1), speedup, speedup, speedup)));
  }

  private static LatencyReport report(double ms) {
    return new LatencyReport(1, 8, 50, ms, ms, ms, ms, ms, "a machine");
  }

  private static RunConfig config() {
    return new RunConfigReader(LocalStorage.INSTANCE)
        .read(null, null, new Overrides(List.of("pruning.target.speedup=5")));
  }

  private static RunContext context() {
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    return new RunContext(
        LocalStorage.INSTANCE, new Console(nowhere, false, System::nanoTime), false);
  }
}
