package org.lathe.export.savedmodel;

import java.util.List;

/**
 * One signature of a served graph.
 *
 * @param inputs fed, the ids first
 * @param outputs fetched, the one that is always there first
 */
record Endpoint(String name, List<NamedTensor> inputs, List<NamedTensor> outputs) {}
