package org.lathe.cli.workflow;

import org.lathe.cli.config.PruningSection;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.importance.RandomUnits;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.files.Storage;

/** Random units of the teacher, by the run's seed. */
final class RandomMethod implements StructureMethod {

  @Override
  public void requirePossible(PruningSection settings, RunDirectory teacher, Storage storage) {
    if (!settings.planFrom().isBlank()) {
      ReferencePlan.read(settings, teacher, storage);
    }
  }

  @Override
  public boolean followsTarget(PruningSection settings) {
    return settings.planFrom().isBlank();
  }

  @Override
  public Choice choose(TaskPruneSite site) {
    long seed = site.config().seed();
    GateValues gates =
        site.settings().planFrom().isBlank()
            ? RandomUnits.meeting(
                site.target(),
                site.blocks(),
                TaskConfigs.gates(site.settings()).kinds(),
                site.settings().roundTo(),
                seed)
            : RandomUnits.like(ReferencePlan.read(site), site.blocks(), seed);
    return new Choice(PruningPlan.from(site.blocks(), gates), site.teacherWeights());
  }
}
