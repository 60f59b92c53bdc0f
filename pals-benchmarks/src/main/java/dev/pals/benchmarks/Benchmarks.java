package dev.pals.benchmarks;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Contestant.Role;
import dev.pals.benchmarks.harness.Arena;
import dev.pals.benchmarks.harness.Crew;
import dev.pals.benchmarks.harness.LockCosts;
import dev.pals.benchmarks.harness.Loss;
import dev.pals.benchmarks.harness.Profile;
import dev.pals.benchmarks.harness.Rounds;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import dev.pals.benchmarks.micro.Allocation;
import dev.pals.benchmarks.report.Bar;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Report;
import dev.pals.benchmarks.report.Results;
import dev.pals.benchmarks.report.Spread;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command: measures, and writes what it has found. */
@Command(
        name = "benchmarks",
        mixinStandardHelpOptions = true,
        description = "Without a subcommand: runs everything and writes docs/benchmarks.md.",
        exitCodeListHeading = "Exit status:%n",
        exitCodeList = {"0:done", "1:a contender has failed, or a ratio is below the guard's bar", "2:bad arguments"})
public final class Benchmarks implements Callable<Integer> {
    private static final int FAILED = 1;
    private static final Path RAW = Path.of("pals-benchmarks", "target", "benchmarks");
    private static final Path DOCS = Path.of("docs");
    private static final List<String> QUIET_JVM = List.of();

    private final PrintStream out = System.out;

    @Option(names = "--rounds", defaultValue = "5", description = "How many: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--seconds", defaultValue = "2", description = "Of each measurement: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(names = "--loads", split = ",", description = "Some of them by name, or by the beginning of it with a '*'.")
    private @Nullable List<String> loads;

    @Option(names = "--contenders", split = ",", description = "Some of them.")
    private @Nullable List<String> contenders;

    @Option(names = "--without-costs", description = "Loads only.")
    private boolean withoutCosts;

    @Option(names = "--seed", defaultValue = "8", description = "Of the order of turns: ${DEFAULT-VALUE}.")
    private long seed;

    private Benchmarks() {}

    /** Runs the command and exits with its status. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Benchmarks())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(args));
    }

    @Override
    public Integer call() throws Exception {
        Results results = new Results();
        List<Contestant> measured = selected();
        try (Arena arena = Arena.open();
                Crew crew = new Crew(QUIET_JVM)) {
            describe(arena, results);
            Rounds all = new Rounds(arena, crew, results, new Rounds.Pace(rounds, millis(), seed), out);
            for (List<Load> group : Loads.grouped(selectedLoads())) {
                all.run(group, measured);
                save(results);
            }
            if (!withoutCosts) {
                costs(arena, crew, results, measured);
            }
        }
        save(results);
        publish(results);
        return failures(results) == 0 ? 0 : FAILED;
    }

    private void costs(Arena arena, Crew crew, Results results, List<Contestant> measured) throws Exception {
        List<Contestant> others =
                measured.stream().filter(each -> each.role() != Role.LIMIT).toList();
        LockCosts costs = new LockCosts(arena, crew, results, out);
        for (int round = 1; round <= rounds; round++) {
            costs.run(round, others);
            Loss.measure(arena, round, results, out);
            save(results);
        }
        List<Contestant> here = others.stream()
                .filter(each -> arena.refusal(each, Loads.of(Loads.OWN_1)).isEmpty())
                .toList();
        Allocation.measure(arena.place(0), here, rounds, millis(), results, out);
    }

    @Command(
            description =
                    "The short form: measures what has a bar, and fails where a ratio's median is below it. It writes no"
                            + " document.")
    int guard(
            @Option(names = "--rounds", defaultValue = "5") int rounds,
            @Option(names = "--seconds", defaultValue = "1.2") double seconds)
            throws Exception {
        this.rounds = rounds;
        this.seconds = seconds;
        Results results = new Results();
        try (Arena arena = Arena.open();
                Crew crew = new Crew(QUIET_JVM)) {
            Rounds short_ = new Rounds(arena, crew, results, new Rounds.Pace(rounds, millis(), seed), out);
            for (List<Load> group : Loads.grouped(Guard.loads())) {
                short_.run(group, Guard.contestants(group));
            }
        }
        save(results);
        return new Guard(results).verdict(out) ? 0 : FAILED;
    }

    @Command(description = "Records the hot path, alone and batched, and writes which frames are on top.")
    int profile(
            @Option(names = "--seconds", defaultValue = "20") double seconds,
            @Option(names = "--loads", split = ",", defaultValue = "own-1,own-64,hot-8") List<String> loads,
            @Option(names = "--contender", defaultValue = "pals-4") String contender)
            throws Exception {
        StringBuilder summary = new StringBuilder("# Profile\n\n");
        try (Arena arena = Arena.open()) {
            for (String load : loads) {
                summary.append(Profile.record(
                                arena, Loads.of(load), Contestant.of(contender), (long) (seconds * 1000), RAW))
                        .append('\n');
            }
        }
        Path file = RAW.resolve("profile.md");
        Files.writeString(file, summary);
        out.println(summary);
        out.println("In " + file + ", with the recordings.");
        return 0;
    }

    @Command(description = "Writes the documents again, from the results of one or more runs.")
    int report(@Parameters(arity = "1..*", paramLabel = "CSV") List<Path> files) throws IOException {
        Results results = new Results();
        for (Path file : files) {
            results.read(file);
        }
        publish(results);
        return 0;
    }

    private long millis() {
        return (long) (seconds * 1000);
    }

    private List<Contestant> selected() {
        List<String> chosen = contenders;
        return chosen == null
                ? List.of(Contestant.values())
                : chosen.stream().map(Contestant::of).toList();
    }

    private List<Load> selectedLoads() {
        List<String> chosen = loads;
        if (chosen == null) {
            return Loads.all();
        }
        return chosen.stream()
                .flatMap(name -> name.endsWith("*")
                        ? Loads.all().stream()
                                .filter(load -> load.name().startsWith(name.substring(0, name.length() - 1)))
                        : List.of(Loads.of(name)).stream())
                .distinct()
                .toList();
    }

    private void describe(Arena arena, Results results) throws Exception {
        results.setting("date", java.time.LocalDate.now(Clock.systemUTC()).toString());
        results.setting(
                "machine",
                Runtime.getRuntime().availableProcessors() + " processors (" + processor() + "), "
                        + System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        results.setting("JDK", System.getProperty("java.vm.name") + " " + Runtime.version());
        results.setting("server", arena.serverSettings() + ", on the same machine unless PALS_DB_URL says otherwise");
        results.setting(
                "rounds", rounds + " of " + seconds + " s for each contender, after " + seconds / 2 + " s to warm up");
        results.setting("seed of the order", Long.toString(seed));
    }

    private static String processor() throws IOException {
        Path file = Path.of("/proc/cpuinfo");
        if (!Files.exists(file)) {
            return "unknown";
        }
        try (var lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown");
        }
    }

    private void save(Results results) throws IOException {
        Files.createDirectories(RAW);
        results.write(RAW.resolve("results.csv"));
    }

    private void publish(Results results) throws IOException {
        for (Map.Entry<String, String> file : Report.of(results).entrySet()) {
            Path path = DOCS.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.writeString(path, file.getValue());
        }
        Arrays.stream(Bar.values())
                .forEach(bar -> out.println(bar.title() + ": "
                        + bar.measured(results).map(Spread::withRange).orElse("not measured")));
        out.println("Written: " + DOCS.resolve("benchmarks.md"));
    }

    private static long failures(Results results) {
        return results.notes().stream().filter(Note::failed).count();
    }
}
