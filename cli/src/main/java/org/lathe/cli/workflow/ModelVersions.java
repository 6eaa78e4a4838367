package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/** The numbered directories below models/NAME, as TensorFlow Serving reads them. */
final class ModelVersions {
  /** More digits do not fit a version number. */
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

  private ModelVersions() {}

  /** The version that a server would pick; empty when there is none. */
  static OptionalLong highest(Storage storage, Path base) {
    if (!storage.isDirectory(base)) {
      return OptionalLong.empty();
    }
    return IoGuard.call(storage, "list", base, () -> storage.list(base)).stream()
        .map(path -> path.getFileName().toString())
        .filter(name -> NUMBER.matcher(name).matches())
        .mapToLong(Long::parseLong)
        .max();
  }

  /**
   * The version directory that a person means: the given one, or the highest below models/NAME.
   *
   * @throws ConfigException for a run, or a directory without versions
   */
  static Path resolve(Storage storage, Path model) {
    if (storage.exists(model.resolve(SavedModelInspector.FILE))) {
      return model;
    }
    if (RunDirectory.exists(storage, model)) {
      throw new ConfigException(
          model
              + " is a run, expected an exported model; publish it with 'lathe export "
              + model
              + " --out models/NAME'");
    }
    OptionalLong highest = highest(storage, model);
    if (highest.isPresent()) {
      return model.resolve(Long.toString(highest.getAsLong()));
    }
    // a numbered directory was a version once, and the reader says what it lacks
    if (NUMBER.matcher(name(model)).matches()) {
      return model;
    }
    throw new ConfigException(
        model
            + " holds no version of a model; expected models/NAME or models/NAME/VERSION, as 'lathe"
            + " export RUN --out models/NAME' writes them");
  }

  /** Last element of a path, also of "." and "..". */
  static String name(Path path) {
    Path name = path.toAbsolutePath().normalize().getFileName();
    return name == null ? "" : name.toString();
  }
}
