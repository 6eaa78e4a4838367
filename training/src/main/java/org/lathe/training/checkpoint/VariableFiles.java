package org.lathe.training.checkpoint;

import java.nio.file.Path;
import java.util.List;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.weights.TensorBundle;

/** How arrays become files: TensorFlow's native code, or plain Java where a test wants speed. */
interface VariableFiles {
  VariableFiles TENSOR_BUNDLE =
      new VariableFiles() {
        @Override
        public void write(Path prefix, Weights weights) {
          TensorBundle.write(prefix, weights);
        }

        @Override
        public Weights read(Path prefix, List<String> names) {
          return TensorBundle.read(prefix, names);
        }
      };

  void write(Path prefix, Weights weights);

  Weights read(Path prefix, List<String> names);
}
