package org.lathe.training.pretrained;

/**
 * What an ONNX graph may be, so that what we keep of it stays small beside its weights. An encoder
 * of 12 layers has 1,500 nodes.
 *
 * @param nodes in the graph
 * @param tensors initializers and constants
 * @param edges inputs and outputs of all nodes
 * @param dimensions of one tensor
 * @param nameBytes length of a name
 */
record OnnxLimits(int nodes, int tensors, int edges, int dimensions, int nameBytes) {
  static final OnnxLimits DEFAULT = new OnnxLimits(1 << 16, 1 << 16, 1 << 18, 8, 4096);
}
