package org.lathe;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FileReader;
import java.io.FileWriter;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;

/** The house rules of docs/architecture.md that a machine can check. */
@AnalyzeClasses(
    packages = "org.lathe",
    importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.WithoutTestKit.class})
class ArchitectureTest {
  /** The test kit and test jars of other modules are not part of what ships. */
  static final class WithoutTestKit implements ImportOption {
    @Override
    public boolean includes(com.tngtech.archunit.core.importer.Location location) {
      return !location.contains("/org/lathe/testdata/") && !location.contains("-tests.jar");
    }
  }

  /** Where graphs are built. */
  private static final String[] GRAPH_BUILDERS = {
    "org.lathe.graphs..",
    "org.lathe.training.loop..",
    "org.lathe.training.evaluation..",
    "org.lathe.training.optimization..",
    "org.lathe.training.weights..",
    "org.lathe.training.memory..",
    "org.lathe.training.datastore..",
    "org.lathe.pruning.gates..",
    "org.lathe.pruning.distillation..",
    "org.lathe.pruning.constraint..",
    "org.lathe.pruning.budget..",
    "org.lathe.pruning.masks..",
    "org.lathe.pruning.methods..",
    "org.lathe.pruning.importance..",
    "org.lathe.export.."
  };

  /** Where sessions run. */
  private static final String[] SESSION_OWNERS = {
    "org.lathe.training.loop..",
    "org.lathe.training.evaluation..",
    "org.lathe.training.datastore..",
    "org.lathe.training.weights..",
    "org.lathe.pruning.importance..",
    "org.lathe.export.savedmodel..",
    "org.lathe.export.verification..",
    "org.lathe.export.latency.."
  };

  private static final DescribedPredicate<JavaClass> GRAPH_TYPES =
      describe(
          "Ops or Operand",
          type ->
              type.getName().equals("org.tensorflow.op.Ops")
                  || type.getName().equals("org.tensorflow.Operand"));

  private static final DescribedPredicate<JavaClass> SESSION_TYPES =
      describe(
          "Session or Result",
          type ->
              type.getName().startsWith("org.tensorflow.Session")
                  || type.getName().equals("org.tensorflow.Result")
                  || type.getName().startsWith("org.tensorflow.SavedModelBundle"));

  @ArchTest
  static final ArchRule dependenciesPointOneWay =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .withOptionalLayers(true)
          .layer("graphs")
          .definedBy("org.lathe.graphs..")
          .layer("training")
          .definedBy("org.lathe.training..")
          .layer("pruning")
          .definedBy("org.lathe.pruning..")
          .layer("export")
          .definedBy("org.lathe.export..")
          .layer("cli")
          .definedBy("org.lathe.cli..")
          .whereLayer("cli")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("export")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("pruning")
          .mayOnlyBeAccessedByLayers("export", "cli")
          .whereLayer("training")
          .mayOnlyBeAccessedByLayers("pruning", "export", "cli")
          .because("graphs <- training <- pruning <- export <- cli keeps each module usable alone");

  @ArchTest
  static final ArchRule everyClassLivesInAModule =
      classes()
          .should()
          .resideInAnyPackage(
              "org.lathe.graphs..",
              "org.lathe.training..",
              "org.lathe.pruning..",
              "org.lathe.export..",
              "org.lathe.cli..")
          .because("a class outside the modules escapes the rule about their order");

  @ArchTest
  static final ArchRule packagesOfGraphsHaveNoCycles =
      slices()
          .matching("org.lathe.graphs.(*)..")
          .should()
          .beFreeOfCycles()
          .because("configurations, ops, layers, models and objectives build on each other");

  @ArchTest
  static final ArchRule graphsAreBuiltInTheirRooms =
      noClasses()
          .that()
          .resideOutsideOfPackages(GRAPH_BUILDERS)
          .should()
          .dependOnClassesThat(GRAPH_TYPES)
          .allowEmptyShould(true)
          .because("everything else is plain arithmetic or policy, tested without TensorFlow");

  @ArchTest
  static final ArchRule sessionsRunInTheirRooms =
      noClasses()
          .that()
          .resideOutsideOfPackages(SESSION_OWNERS)
          .should()
          .dependOnClassesThat(SESSION_TYPES)
          .allowEmptyShould(true)
          .because("native memory leaks where sessions are spread; few classes own them");

  @ArchTest
  static final ArchRule configurationsAndErrorsKnowNoTensorFlow =
      noClasses()
          .that()
          .resideInAnyPackage("org.lathe.graphs.config..", "org.lathe.graphs.errors..")
          .should()
          .dependOnClassesThat(resideInAnyPackage("org.tensorflow.."))
          .because("records that validate are read by every tool, without native libraries");

  @ArchTest
  static final ArchRule graphsTouchNoFiles =
      noClasses()
          .that()
          .resideInAPackage("org.lathe.graphs..")
          .should()
          .dependOnClassesThat(resideInAnyPackage("java.nio.file..", "java.nio.channels.."))
          .orShould()
          .dependOnClassesThat()
          .areAssignableTo(File.class)
          .because("what is computed needs no disk");

  /** Paths may be named anywhere; the disk is reached through the storage port only. */
  @ArchTest
  static final ArchRule filesAreTouchedThroughStorage =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.lathe.cli..")
          .and(describe("are not LocalStorage", type -> !isLocalStorage(type)))
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(
              Files.class,
              FileInputStream.class,
              FileOutputStream.class,
              FileReader.class,
              FileWriter.class,
              RandomAccessFile.class)
          .orShould()
          .callMethodWhere(
              describe(
                  "FileChannel is opened",
                  call ->
                      call.getTargetOwner().isEquivalentTo(FileChannel.class)
                          && call.getName().equals("open")))
          .because("tests make the storage port fail; what goes around it is never tested so");

  private static boolean isLocalStorage(JavaClass type) {
    return type.getName().startsWith("org.lathe.training.files.LocalStorage");
  }

  @ArchTest
  static final ArchRule onlyTheCommandLinePrintsAndExits =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.lathe.cli..")
          .should()
          .accessTargetWhere(
              describe("System.out, System.err, System.exit or a halt", ArchitectureTest::speaks))
          .orShould()
          .callMethod(Throwable.class, "printStackTrace")
          .allowEmptyShould(true)
          .because("libraries return values and throw; the command line talks to people");

  private static boolean speaks(JavaAccess<?> access) {
    String owner = access.getTargetOwner().getName();
    String name = access.getName();
    return owner.equals("java.lang.System")
            && (name.equals("out") || name.equals("err") || name.equals("exit"))
        || owner.equals("java.lang.Runtime") && (name.equals("exit") || name.equals("halt"));
  }

  @ArchTest
  static final ArchRule nothingIsSerializedByJava =
      noClasses()
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(ObjectInputStream.class, ObjectOutputStream.class)
          .because("reading Java objects from files runs what an attacker wrote");

  @ArchTest
  static final ArchRule tokenizersAreMadeOffline =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("org.lathe.training.text.HfTokenizer")
          .should()
          .callMethodWhere(
              describe(
                  "HuggingFaceTokenizer is made",
                  call ->
                      call.getTargetOwner().getSimpleName().equals("HuggingFaceTokenizer")
                          && (call.getName().equals("newInstance")
                              || call.getName().equals("builder"))))
          .because("its library reports to its makers unless it was told not to");

  @ArchTest
  static final ArchRule noClassIsLoadedByName =
      noClasses()
          .that()
          // two constant names of the JDK itself, which javac does not let one write as types
          .doNotHaveFullyQualifiedName("org.lathe.cli.workflow.StopSignals")
          .should()
          .accessTargetWhere(
              describe(
                  "Class.forName or ClassLoader.loadClass",
                  access ->
                      access.getTargetOwner().isEquivalentTo(Class.class)
                              && access.getName().equals("forName")
                          || access.getTargetOwner().isAssignableTo(ClassLoader.class)
                              && access.getName().equals("loadClass")))
          .because("names in files must never choose code");
}
