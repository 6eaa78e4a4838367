package org.lathe.training.examples;

import com.google.common.base.Preconditions;
import com.google.common.primitives.Longs;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;

/**
 * The classes of a task. The order is part of a trained model: class index k is names.get(k).
 *
 * @param names at least two, all different
 */
public record LabelSet(List<String> names) {
  public LabelSet {
    names = List.copyOf(names);
    Preconditions.checkArgument(
        names.size() >= 2 && new HashSet<>(names).size() == names.size(),
        "the labels are %s; expected at least two, all different",
        names);
  }

  /** Labels in this order. */
  public static LabelSet of(String... names) {
    return new LabelSet(List.of(names));
  }

  /** The different labels, by value if all are whole numbers, else in alphabetical order. */
  public static LabelSet sorted(Collection<String> names) {
    boolean numbers = names.stream().allMatch(name -> Longs.tryParse(name) != null);
    Comparator<String> byName = Comparator.naturalOrder();
    Comparator<String> order =
        numbers ? Comparator.<String>comparingLong(Long::parseLong).thenComparing(byName) : byName;
    return new LabelSet(names.stream().distinct().sorted(order).toList());
  }

  /** K. */
  public int size() {
    return names.size();
  }

  /** Index of a label, or -1. */
  public int indexOf(String name) {
    return names.indexOf(name);
  }
}
