package dev.pals.benchmarks.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;

/** Finds the JDK for loads of virtual threads: the one that runs this, or the newest beside it. */
public final class VirtualThreads {
    private static final int SINCE = 21;

    private VirtualThreads() {}

    /** The JDK's directory, or empty where none is new enough. */
    public static Optional<Path> jdk() {
        Path here = Path.of(System.getProperty("java.home"));
        if (Runtime.version().feature() >= SINCE) {
            return Optional.of(here);
        }
        try (Stream<Path> beside = Files.list(here.resolveSibling("."))) {
            return beside.filter(jdk -> Files.isExecutable(jdk.resolve("bin/java")))
                    .filter(jdk -> feature(jdk) >= SINCE)
                    .max(Comparator.comparingInt(VirtualThreads::feature));
        } catch (IOException e) {
            throw new IllegalStateException("cannot look for a JDK beside " + here, e);
        }
    }

    /** What the JDK says of itself; 0 where it says nothing. */
    private static int feature(Path jdk) {
        Path release = jdk.resolve("release");
        if (!Files.exists(release)) {
            return 0;
        }
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(release)) {
            properties.load(reader);
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + release, e);
        }
        String version = properties.getProperty("JAVA_VERSION", "0").replace("\"", "");
        return Runtime.Version.parse(version.replaceAll("[^0-9.].*", "")).feature();
    }
}
