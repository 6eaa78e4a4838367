package org.lathe.cli.results;

import com.google.common.collect.ListMultimap;
import com.google.common.collect.MultimapBuilder;
import com.google.common.math.Stats;
import java.util.ArrayList;
import java.util.List;
import org.lathe.cli.report.ScatterPicture;
import org.lathe.graphs.errors.CorruptFileException;

/**
 * The systems of one dataset as points, one metric against another; a point is the mean over seeds,
 * with the sample standard deviation as its bar. The system "dense", which speed-ups are measured
 * against and which has none, stands at 1; others without x are left out.
 *
 * @param experiment whose rows
 * @param dataset of these
 * @param xMetric a factor: what the reference has is 1
 * @param yMetric any
 */
record ResultsPicture(String experiment, String dataset, String xMetric, String yMetric) {
  private static final String REFERENCE = "dense";

  /**
   * @param words dataset, x and y
   * @throws CorruptFileException when there are more or fewer
   */
  static ResultsPicture of(String experiment, List<String> words) {
    if (words.size() != 3) {
      throw new CorruptFileException(
          "a picture of "
              + experiment
              + " is asked for by "
              + words
              + "; expected a dataset and two metrics, such as 'sst2 speedup-batch32 accuracy'");
    }
    return new ResultsPicture(experiment, words.get(0), words.get(1), words.get(2));
  }

  String fileName() {
    return experiment + "-" + dataset + ".svg";
  }

  String markdown() {
    return "![" + title() + "](results/" + fileName() + ")\n";
  }

  private String title() {
    return yMetric + " against " + xMetric + " on " + dataset;
  }

  /**
   * @throws CorruptFileException when no system has both metrics
   */
  String svg(List<ResultRow> rows) {
    ListMultimap<String, Double> xs = values(rows, xMetric);
    ListMultimap<String, Double> ys = values(rows, yMetric);
    List<ScatterPicture.Point> points = new ArrayList<>();
    for (String system : ys.keySet()) {
      if (xs.containsKey(system) || system.equals(REFERENCE)) {
        Stats y = Stats.of(ys.get(system));
        double x = xs.containsKey(system) ? Stats.meanOf(xs.get(system)) : 1;
        double spread = y.count() > 1 ? y.sampleStandardDeviation() : 0;
        points.add(new ScatterPicture.Point(system, x, y.mean(), spread));
      }
    }
    if (points.isEmpty()) {
      throw new CorruptFileException(
          "no system of " + experiment + " has rows for a picture of " + title());
    }
    return ScatterPicture.draw(title(), xMetric, yMetric, points);
  }

  private ListMultimap<String, Double> values(List<ResultRow> rows, String metric) {
    ListMultimap<String, Double> values =
        MultimapBuilder.linkedHashKeys().arrayListValues().build();
    for (ResultRow row : rows) {
      if (row.experiment().equals(experiment)
          && row.dataset().equals(dataset)
          && row.metric().equals(metric)
          && row.split().equals(ResultsTable.SHOWN_SPLIT)) {
        values.put(row.system(), row.value());
      }
    }
    return values;
  }
}
