package org.lathe.cli.commands;

import java.lang.reflect.Constructor;
import org.lathe.cli.Surroundings;
import picocli.CommandLine;
import picocli.CommandLine.IFactory;

/** Gives every command its surroundings, and leaves all other classes to picocli. */
public final class CommandFactory implements IFactory {
  private final Surroundings surroundings;

  public CommandFactory(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  @Override
  public <K> K create(Class<K> type) throws Exception {
    for (Constructor<?> constructor : type.getDeclaredConstructors()) {
      if (constructor.getParameterCount() == 1
          && constructor.getParameterTypes()[0] == Surroundings.class) {
        return type.cast(constructor.newInstance(surroundings));
      }
    }
    return CommandLine.defaultFactory().create(type);
  }
}
