package org.lathe.training.pretrained;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.weights.Weights;

/**
 * What stands on an encoder.
 *
 * @param config of the head
 * @param weights under the names that it declares
 * @param labels names of the classes in the order of the logits; empty where there are none
 */
public record EncoderHead(HeadConfig config, Weights weights, List<String> labels) {
  public EncoderHead {
    labels = ImmutableList.copyOf(labels);
  }
}
