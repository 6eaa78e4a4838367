package org.lathe.pruning.plan;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateValues;

/**
 * What each head and each feed-forward unit of a model is worth, on one scale. A target says how
 * many of them go, lowest first.
 *
 * @param heads [L][N of the layer]
 * @param units [L][F of the layer]
 */
public record UnitRanking(TransformerConfig config, float[][] heads, float[][] units) {
  public UnitRanking {
    for (int layer = 0; layer < config.numLayers(); layer++) {
      BlockShape block = config.blocks().get(layer);
      Preconditions.checkArgument(
          heads[layer].length == block.numHeads()
              && units[layer].length == block.intermediateSize(),
          "layer %s has scores of %s heads and %s units, its shape is %s",
          layer,
          heads[layer].length,
          units[layer].length,
          block);
    }
  }

  private record Place(boolean head, int layer, int index, float score) {}

  /**
   * The least pruned structure that reaches the target: gates of 0 for what goes and 1 for what
   * stays. Equal scores go by layer and index, heads before units.
   *
   * @param roundTo numbers of kept units are raised to a multiple of this by the best of those that
   *     would go; a layer with no unit left stays empty
   * @throws FailedException when even a model without heads and units does not reach it
   */
  public GateValues meeting(PruningTarget target, int roundTo) {
    List<Place> lowestFirst = lowestFirst();
    int low = 0;
    int high = lowestFirst.size();
    if (!meets(target, without(lowestFirst, high, roundTo))) {
      throw new FailedException(
          "no structure reaches the pruning target: asked for a reduction of "
              + target.reduction()
              + ", a model without heads and intermediate units gives "
              + target.achieved(config, ExpectedSizes.of(without(lowestFirst, high, roundTo)))
              + ". Lower pruning.target.");
    }
    while (low < high) {
      int middle = (low + high) / 2;
      if (meets(target, without(lowestFirst, middle, roundTo))) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return without(lowestFirst, high, roundTo);
  }

  private List<Place> lowestFirst() {
    List<Place> places = new ArrayList<>();
    for (int layer = 0; layer < config.numLayers(); layer++) {
      for (int i = 0; i < heads[layer].length; i++) {
        places.add(new Place(true, layer, i, heads[layer][i]));
      }
      for (int i = 0; i < units[layer].length; i++) {
        places.add(new Place(false, layer, i, units[layer][i]));
      }
    }
    places.sort(Comparator.comparingDouble(Place::score)); // stable: ties by place
    return places;
  }

  private boolean meets(PruningTarget target, GateValues gates) {
    return target.isReached(config, ExpectedSizes.of(gates));
  }

  private GateValues without(List<Place> lowestFirst, int numRemoved, int roundTo) {
    GateValues gates = GateValues.allOpen(config);
    int[] numUnits = Arrays.stream(units).mapToInt(row -> row.length).toArray();
    for (Place place : lowestFirst.subList(0, numRemoved)) {
      (place.head ? gates.heads() : gates.intermediate())[place.layer][place.index] = 0;
      numUnits[place.layer] -= place.head ? 0 : 1;
    }
    for (int i = numRemoved - 1; i >= 0; i--) { // the best of those that go
      Place place = lowestFirst.get(i);
      if (!place.head
          && numUnits[place.layer] % roundTo != 0
          && numUnits[place.layer] < units[place.layer].length) {
        gates.intermediate()[place.layer][place.index] = 1;
        numUnits[place.layer]++;
      }
    }
    return gates.closed();
  }
}
