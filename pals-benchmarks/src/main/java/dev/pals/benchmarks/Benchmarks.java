package dev.pals.benchmarks;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.harness.Arena;
import dev.pals.benchmarks.harness.Profile;
import dev.pals.benchmarks.harness.Rounds;
import dev.pals.benchmarks.load.Loads;
import dev.pals.benchmarks.report.Bar;
import dev.pals.benchmarks.report.Report;
import dev.pals.benchmarks.report.Results;
import dev.pals.benchmarks.report.Spread;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command: measures, and writes what it has found. */
@Command(
        name = "benchmarks",
        mixinStandardHelpOptions = true,
        description = "Without a subcommand: runs everything and writes docs/benchmarks.md.",
        exitCodeListHeading = "Exit status:%n",
        exitCodeList = {"0:done", "1:something has failed, or stays off the guard's bar", "2:bad arguments"})
public final class Benchmarks implements Callable<Integer> {
    private static final int FAILED = 1;
    private static final int BAD_ARGUMENTS = 2;
    private static final Path TARGET = Path.of("pals-benchmarks", "target");
    private static final Path SOME_CONTENDERS = TARGET.resolve("some-contenders");
    private static final Path DOCS = Path.of("docs");

    private final PrintStream out = System.out;

    @Option(names = "--rounds", defaultValue = "5", description = "How many: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--seconds", defaultValue = "0.4", description = "Of each measurement: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(
            names = "--only",
            split = ",",
            description = "Some parts: a load's name, or its beginning with a '*', or \"" + Part.COSTS + "\", or \""
                    + Part.ALLOCATION + "\". The others stay in the document as they were measured last.")
    private List<String> only = List.of("*");

    @Option(
            names = "--contenders",
            split = ",",
            description = "Some of them. Their figures and documents are in pals-benchmarks/target/some-contenders, "
                    + "those of all stay as they are.")
    private @Nullable List<String> contenders;

    @Option(names = "--seed", defaultValue = "8", description = "Of the order of turns: ${DEFAULT-VALUE}.")
    private long seed;

    private Benchmarks() {}

    /** Runs the command and exits with its status. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Benchmarks()).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        List<Part> parts = Part.all().stream().filter(part -> part.isIn(only)).toList();
        if (parts.isEmpty()) {
            out.println("There is nothing of " + only + "; there are "
                    + Part.all().stream().map(Part::name).toList());
            return BAD_ARGUMENTS;
        }
        List<Contestant> contestants = selected();
        try (Measurements measurements = new Measurements(pace(rounds, seconds), true, out)) {
            try {
                return new Run(kept(), out)
                                .succeeds(parts, (part, results) -> part.measure(measurements, contestants, results))
                        ? 0
                        : FAILED;
            } finally {
                report();
            }
        }
    }

    @Command(
            description = "The short form: measures what has a bar, and fails where a median stays off it in "
                    + Guard.ATTEMPTS + " attempts. It writes no document.")
    int guard(
            @Option(names = "--rounds", defaultValue = "5") int rounds,
            @Option(names = "--seconds", defaultValue = "0.25") double seconds,
            @Option(names = "--strictness", defaultValue = "1", description = "How many times as strict.")
                    double strictness)
            throws Exception {
        ResultFiles attempts = new ResultFiles(TARGET.resolve("guard"));
        attempts.clear();
        try (Measurements measurements = new Measurements(pace(rounds, seconds), false, out)) {
            return new Guard(strictness, out).holds((bars, attempt) -> {
                        Results all = new Results();
                        for (var group : Loads.grouped(Guard.loads(bars))) {
                            measurements.loads(group, load -> Guard.contestants(bars, load), all);
                        }
                        measurements.locks(Guard.costs(bars), all);
                        attempts.write("attempt-" + attempt, all);
                        return all;
                    })
                    ? 0
                    : FAILED;
        }
    }

    @Command(description = "Records the hot path, alone and batched, and writes which frames are on top.")
    int profile(
            @Option(names = "--seconds", defaultValue = "20") double seconds,
            @Option(names = "--loads", split = ",", defaultValue = "own-1,own-64,hot-8") List<String> loads,
            @Option(names = "--contender", defaultValue = "pals-4") String contender)
            throws Exception {
        Path directory = TARGET.resolve("profile");
        StringBuilder summary = new StringBuilder("# Profile\n\n");
        try (Arena arena = Arena.open(false)) {
            for (String load : loads) {
                summary.append(Profile.record(
                                arena, Loads.of(load), Contestant.of(contender), millis(seconds), directory))
                        .append('\n');
            }
        }
        Path file = directory.resolve("profile.md");
        Files.writeString(file, summary);
        out.println(summary);
        out.println("In " + file + ", with the recordings.");
        return 0;
    }

    @Command(description = "Writes the documents again, from what was measured last.")
    int report() throws IOException {
        Results results = kept().readAll();
        Path docs = contenders == null ? DOCS : SOME_CONTENDERS;
        for (Map.Entry<String, String> file :
                Report.of(results, Files.exists(docs.resolve(Report.FINDINGS))).entrySet()) {
            Path path = docs.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.writeString(path, file.getValue());
        }
        Arrays.stream(Bar.values())
                .forEach(bar -> out.println(bar.title() + ": "
                        + bar.measured(results).map(Spread::withRange).orElse("not measured")));
        out.println("Written: " + docs.resolve("benchmarks.md"));
        return 0;
    }

    /** Ratios are of the same minutes, so a run of some contenders cannot be mixed with one of all. */
    private ResultFiles kept() {
        return new ResultFiles(contenders == null ? TARGET.resolve("benchmarks") : SOME_CONTENDERS);
    }

    private Rounds.Pace pace(int rounds, double seconds) {
        return new Rounds.Pace(rounds, millis(seconds), seed);
    }

    private static long millis(double seconds) {
        return (long) (seconds * 1000);
    }

    private List<Contestant> selected() {
        List<String> chosen = contenders;
        return chosen == null
                ? List.of(Contestant.values())
                : chosen.stream().map(Contestant::of).toList();
    }
}
