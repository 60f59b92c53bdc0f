package dev.pals.codegen;

import dev.pals.key.LockKey;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;

/**
 * Measures what the processors cost: 2,000 constants in 40 enums, compiled by javac with and without them, in turns,
 * each time in a new process as builds do. Run by hand, since a time is no test.
 */
final class CompileTime {
    private static final int ENUMS = 40;
    private static final int CONSTANTS = 50;
    private static final int ROUNDS = 11;

    private CompileTime() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path temp = Files.createTempDirectory("pals-compile-time");
        List<String> sources = new ArrayList<>();
        for (int i = 0; i < ENUMS; i++) {
            sources.add(Javac.in(temp).write("Lock" + i + ".java", source(i)).toString());
        }
        String keys = path(LockKey.class, NullMarked.class);
        String processors = path(LockNameProcessor.class, LockKey.class, NullMarked.class);
        double[] without = new double[ROUNDS];
        double[] ratios = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            without[round] = seconds(temp.resolve("without-" + round), sources, "-cp", keys, "-proc:none");
            ratios[round] = seconds(temp.resolve("with-" + round), sources, "-cp", keys, "--processor-path", processors)
                    / without[round];
        }
        Arrays.sort(without);
        Arrays.sort(ratios);
        System.out.printf(
                "2,000 constants in 40 enums: javac with the processors takes %.2f times the time without (median of %d,"
                        + " from %.2f to %.2f); without them %.1f s%n",
                ratios[ROUNDS / 2], ROUNDS, ratios[0], ratios[ROUNDS - 1], without[ROUNDS / 2]);
    }

    private static String path(Class<?>... types) {
        return Arrays.stream(types)
                .map(type -> Javac.locationOf(type).toString())
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static double seconds(Path output, List<String> sources, String... options)
            throws IOException, InterruptedException {
        List<String> command = Stream.of(
                        Stream.of(
                                Path.of(System.getProperty("java.home"), "bin", "javac")
                                        .toString(),
                                "-d",
                                output.toString()),
                        Arrays.stream(options),
                        sources.stream())
                .flatMap(part -> part)
                .toList();
        long start = System.nanoTime();
        int status = new ProcessBuilder(command).inheritIO().start().waitFor();
        if (status != 0) {
            throw new IllegalStateException("javac failed with " + status);
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private static String source(int number) {
        StringBuilder constants = new StringBuilder();
        for (int i = 0; i < CONSTANTS; i++) {
            String by = i % 5 == 0 ? ", by = Long.class" : "";
            constants.append("    @LockName(value = \"lock-%d-%d\"%s) LOCK_%d,%n".formatted(number, i, by, i));
        }
        return """
                package measured;
                import dev.pals.key.*;
                @LockApp("measured") public enum Lock%d {
                %s}
                """.formatted(number, constants);
    }
}
