package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.evaluation.SearchPolicy;
import org.lathe.training.memory.AdaptiveInterpolation;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.InterpolationBuckets;
import org.lathe.training.memory.InterpolationBuckets.Feature;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;

/**
 * A mixing as JSON: {@code form}, {@code temperature} and {@code interpolation} of recent memory
 * and, where items are retrieved, {@code external} with {@code shared}, {@code temperature} and
 * {@code interpolation}: one number, or a list with one number a bucket, beside which {@code
 * feature} and {@code thresholds} say what the buckets are. Where not every position is searched,
 * or pointers are followed, {@code search} has {@code skipAbove} and {@code pointers}.
 */
final class MixingFacts {
  private static final String INTERPOLATION = "interpolation";
  private static final String FEATURE = "feature";
  private static final String THRESHOLDS = "thresholds";
  private static final String SEARCH = "search";
  private static final String SKIP_ABOVE = "skipAbove";
  private static final String POINTERS = "pointers";

  private MixingFacts() {}

  static Map<String, Object> of(MemoryMixing mixing) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("form", mixing.recent().form().name().toLowerCase(Locale.ROOT));
    facts.put("temperature", mixing.recent().temperature());
    facts.put(INTERPOLATION, mixing.recent().interpolation());
    if (!mixing.external().equals(ExternalMixing.NONE)) {
      Map<String, Object> external = new LinkedHashMap<>();
      external.put("shared", mixing.external().shared());
      external.put("temperature", mixing.external().temperature());
      put(external, mixing.external().interpolation());
      facts.put("external", external);
    }
    return facts;
  }

  static Map<String, Object> of(TunedMemory tuned) {
    Map<String, Object> facts = of(tuned.mixing());
    if (!tuned.search().equals(SearchPolicy.EVERYWHERE)) {
      Map<String, Object> search = new LinkedHashMap<>();
      if (tuned.search().skips()) {
        search.put(SKIP_ABOVE, tuned.search().skipAbove());
      }
      search.put(POINTERS, tuned.search().pointers());
      facts.put(SEARCH, search);
    }
    return facts;
  }

  private static void put(Map<String, Object> external, AdaptiveInterpolation interpolation) {
    if (interpolation.isConstant()) {
      external.put(INTERPOLATION, interpolation.weights().get(0));
      return;
    }
    InterpolationBuckets buckets = interpolation.buckets();
    external.put(INTERPOLATION, interpolation.weights());
    external.put(FEATURE, ConfigSchema.wordOf(buckets.feature()));
    external.put(THRESHOLDS, buckets.thresholds());
  }

  /**
   * @param file for messages
   * @throws CorruptFileException when this is no mixing
   */
  static MemoryMixing parse(Object facts, String file) {
    try {
      if (facts instanceof Map<?, ?> map && map.get("form") instanceof String form) {
        Mixing recent =
            new Mixing(
                Mixing.Form.valueOf(form.toUpperCase(Locale.ROOT)),
                number(map, "temperature", file),
                number(map, INTERPOLATION, file));
        if (!map.containsKey("external")) {
          return MemoryMixing.recentOnly(recent);
        }
        if (map.get("external") instanceof Map<?, ?> external
            && external.get("shared") instanceof Boolean shared) {
          return new MemoryMixing(
              recent,
              new ExternalMixing(
                  shared, number(external, "temperature", file), interpolation(external, file)));
        }
      }
    } catch (IllegalArgumentException e) {
      throw new CorruptFileException(
          file + " holds an impossible mixing: " + facts + ". Tune again with --tune.", e);
    }
    throw missing(file, "form, or shared of external");
  }

  /**
   * The same with where to search.
   *
   * @param file for messages
   * @throws CorruptFileException when this is no mixing
   */
  static TunedMemory parseTuned(Object facts, String file) {
    MemoryMixing mixing = parse(facts, file);
    if (!(facts instanceof Map<?, ?> map) || !map.containsKey(SEARCH)) {
      return TunedMemory.of(mixing);
    }
    if (map.get(SEARCH) instanceof Map<?, ?> search
        && search.get(POINTERS) instanceof Boolean pointers) {
      double skipAbove =
          search.containsKey(SKIP_ABOVE)
              ? number(search, SKIP_ABOVE, file)
              : SearchPolicy.EVERYWHERE.skipAbove();
      return new TunedMemory(mixing, new SearchPolicy(skipAbove, pointers));
    }
    throw missing(file, "pointers of search");
  }

  private static AdaptiveInterpolation interpolation(Map<?, ?> external, String file) {
    if (external.get(INTERPOLATION) instanceof List<?> weights) {
      if (external.get(FEATURE) instanceof String feature
          && external.get(THRESHOLDS) instanceof List<?> thresholds) {
        return new AdaptiveInterpolation(
            new InterpolationBuckets(
                Feature.valueOf(feature.toUpperCase(Locale.ROOT).replace('-', '_')),
                numbers(thresholds, THRESHOLDS, file)),
            numbers(weights, INTERPOLATION, file));
      }
      throw missing(file, "feature or thresholds of its buckets");
    }
    return AdaptiveInterpolation.constant(number(external, INTERPOLATION, file));
  }

  private static ImmutableList<Double> numbers(List<?> list, String key, String file) {
    ImmutableList.Builder<Double> numbers = ImmutableList.builder();
    for (Object element : list) {
      if (!(element instanceof Number number)) {
        throw missing(file, "numbers in " + key);
      }
      numbers.add(number.doubleValue());
    }
    return numbers.build();
  }

  private static double number(Map<?, ?> map, String key, String file) {
    if (map.get(key) instanceof Number number) {
      return number.doubleValue();
    }
    throw missing(file, key);
  }

  private static CorruptFileException missing(String file, String what) {
    return new CorruptFileException(
        file + " holds a mixing without " + what + ". Tune again with --tune.");
  }
}
