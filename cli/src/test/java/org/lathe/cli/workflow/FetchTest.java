package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.training.files.Manifest;

class FetchTest {
  private static final String COORDINATES = "org.example:tiny:1";

  @TempDir private Path root;
  private Path jar;
  private Path out;

  @BeforeEach
  void makeJar() throws IOException {
    TinyEncoder.writePretrained(root.resolve("tiny"));
    jar = jar(root.resolve("tiny"), root.resolve("tiny-1.jar"));
    out = root.resolve("pretrained");
  }

  @Test
  void aJarBecomesACheckpointThatIsReadOnce() throws IOException {
    int exitCode = run("--jar", jar.toString());
    assertThat(exitCode).as(TinyRun.err).isZero();
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).get("numLayers").asInt()).isEqualTo(2);
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).get("tokenizer").asBoolean()).isTrue();
    assertThat(out.resolve("model.safetensors")).exists();
    assertThat(Files.readString(out.resolve(Manifest.FILE_NAME))).contains(COORDINATES);
    assertNothingElse();
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void mavenIsAskedForTheCoordinates() throws IOException {
    Path maven =
        script(
            """
            for word in "$@"; do
              case $word in -DoutputDirectory=*) directory=${word#*=};; esac
            done
            echo "$@" > %s/asked
            cp %s "$directory"
            """
                .formatted(root, jar));
    int exitCode = run("--maven", maven.toString());
    assertThat(exitCode).as(TinyRun.err).isZero();
    assertThat(Files.readString(root.resolve("asked"))).contains("-Dartifact=" + COORDINATES);
    assertThat(out.resolve("model.safetensors")).exists();
    assertThat(out.resolve(".download")).doesNotExist();
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void mavensFirstErrorIsToldAndNothingIsLeft() throws IOException {
    Path maven = script("echo '[INFO] asking'; echo '[ERROR] no such artifact'; exit 1\n");
    int exitCode = run("--maven", maven.toString());
    assertThat(exitCode).isEqualTo(1);
    assertThat(TinyRun.err)
        .contains("cannot download " + COORDINATES + ": no such artifact; name your Maven");
    assertThat(out).doesNotExist();
    assertNothingElse();
  }

  @Test
  void noMavenIsSaid() throws IOException {
    int exitCode = run("--maven", root.resolve("absent").toString());
    assertThat(exitCode).isEqualTo(1);
    assertThat(TinyRun.err).contains("cannot run Maven");
    assertNothingElse();
  }

  @Test
  void aJarWithADamagedCheckpointLeavesNothing() throws IOException {
    Path weights = root.resolve("tiny/model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    Files.write(weights, Arrays.copyOf(bytes, bytes.length / 2));
    Path damaged = jar(root.resolve("tiny"), root.resolve("damaged.jar"));
    int exitCode = run("--jar", damaged.toString());
    assertThat(exitCode).isEqualTo(3);
    assertThat(TinyRun.err).contains(damaged + "/model.safetensors").doesNotContain(".staging");
    assertThat(out).doesNotExist();
    assertNothingElse();
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aDownloadThatIsNoCheckpointIsNamedByItsCoordinates() throws IOException {
    Path empty = jar(Files.createDirectory(root.resolve("empty")), root.resolve("empty.jar"));
    Path maven =
        script(
            "for word; do case $word in -Dout*) cp %s \"${word#*=}\";; esac; done\n"
                .formatted(empty));
    int exitCode = run("--maven", maven.toString());
    assertThat(exitCode).isEqualTo(3);
    assertThat(TinyRun.err)
        .contains("lathe: " + COORDINATES + " holds no checkpoint that Lathe reads");
    assertNothingElse();
  }

  @Test
  void whatIsThereIsNotOverwritten() throws IOException {
    Files.createDirectories(out);
    int exitCode = run("--jar", jar.toString());
    assertThat(exitCode).isEqualTo(2);
    assertThat(TinyRun.err).contains("exists already");
    assertThat(out).isEmptyDirectory();
  }

  @Test
  void aJarNeedsNoMaven() {
    Object[] both = {"fetch", COORDINATES, "--out", out, "--jar", jar, "--maven", "mvn"};
    assertThat(TinyRun.execute(both)).isEqualTo(2);
    assertThat(TinyRun.err).contains("leave --maven or --jar out");
    assertThat(TinyRun.execute("fetch", "--jar", jar, "--out", out)).isEqualTo(2);
    assertThat(TinyRun.err).contains("no NAME is given");
    assertThat(out).doesNotExist();
  }

  private int run(String option, String value) {
    return TinyRun.execute("fetch", COORDINATES, "--out", out, option, value, "--json");
  }

  private void assertNothingElse() throws IOException {
    try (var children = Files.list(root)) {
      assertThat(children.map(child -> child.getFileName().toString()))
          .noneMatch(name -> name.startsWith("."));
    }
  }

  private Path script(String body) throws IOException {
    Path file = Files.writeString(root.resolve("maven"), "#!/bin/sh\n" + body);
    assertThat(file.toFile().setExecutable(true)).isTrue();
    return file;
  }

  private static Path jar(Path directory, Path jar) throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar));
        var files = Files.list(directory)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        zip.putNextEntry(new ZipEntry("org/example/" + file.getFileName()));
        zip.write(Files.readAllBytes(file));
      }
    }
    return jar;
  }
}
