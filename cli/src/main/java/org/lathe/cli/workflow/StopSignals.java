package org.lathe.cli.workflow;

import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * SIGTERM and SIGINT ask a loop to stop at its next step; a second one ends the process at once
 * (the last checkpoint is good at any moment).
 *
 * <p>Signals are taken through {@code sun.misc.Signal} of the module jdk.unsupported, the only door
 * Java has; it is called by reflection because javac warns of it without a way to say that it is
 * meant. A shutdown hook would not do: it cannot see the second signal.
 */
final class StopSignals implements BooleanSupplier {
  private static final int EXIT_INTERRUPTED = 130;

  private final AtomicBoolean requested = new AtomicBoolean();

  /** Listens from now on until the process ends. */
  StopSignals() {
    try {
      ClassLoader loader = ClassLoader.getPlatformClassLoader();
      Class<?> signal = loader.loadClass("sun.misc.Signal");
      Class<?> handlerType = loader.loadClass("sun.misc.SignalHandler");
      Object handler =
          Proxy.newProxyInstance(
              StopSignals.class.getClassLoader(),
              new Class<?>[] {handlerType},
              (proxy, method, arguments) -> {
                if (method.getName().equals("handle") && requested.getAndSet(true)) {
                  Runtime.getRuntime().halt(EXIT_INTERRUPTED);
                }
                return null;
              });
      for (String name : new String[] {"TERM", "INT"}) {
        signal
            .getMethod("handle", signal, handlerType)
            .invoke(null, signal.getConstructor(String.class).newInstance(name), handler);
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java has no sun.misc.Signal; use a standard JDK", e);
    }
  }

  @Override
  public boolean getAsBoolean() {
    return requested.get();
  }
}
