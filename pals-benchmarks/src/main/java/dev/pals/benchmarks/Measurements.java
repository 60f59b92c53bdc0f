package dev.pals.benchmarks;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Contestant.Role;
import dev.pals.benchmarks.harness.Arena;
import dev.pals.benchmarks.harness.Crew;
import dev.pals.benchmarks.harness.LockCosts;
import dev.pals.benchmarks.harness.Loss;
import dev.pals.benchmarks.harness.Rounds;
import dev.pals.benchmarks.harness.VirtualThreads;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import dev.pals.benchmarks.micro.Allocation;
import dev.pals.benchmarks.report.Costs;
import dev.pals.benchmarks.report.Results;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** Measures on the servers of one run. What is found is in the results at once, also where a later thing fails. */
final class Measurements implements AutoCloseable {
    /** Their figures hardly differ between rounds, and some take long. */
    private static final int MOST_ROUNDS_OF_COSTS = 2;

    private static final int MANY = 10_000;

    private final Rounds.Pace pace;
    private final PrintStream out;
    private final Arena arena;
    private final Crew crew;
    private final Crew virtualCrew;

    /** Which wait for the disk, as PostgreSQL does by default, or do not, so that it cannot disturb. */
    Measurements(Rounds.Pace pace, boolean durable, PrintStream out) throws Exception {
        this.pace = pace;
        this.out = out;
        arena = Arena.open(durable);
        Path here = Path.of(System.getProperty("java.home"));
        crew = new Crew(here, List.of(), arena.counters());
        // Where there is none, no load gets as far.
        virtualCrew = new Crew(VirtualThreads.jdk().orElse(here), List.of(), arena.counters());
    }

    /** Loads that are compared with one another, each with contestants of its own. */
    void loads(List<Load> group, Function<Load, List<Contestant>> contestants, Results results) throws Exception {
        describe(results);
        Crew workers = group.get(0).virtual() ? virtualCrew : crew;
        new Rounds(arena, workers, results, pace, out).run(group, contestants);
    }

    /** What it costs to hold, to wait, to lose. */
    void costs(List<Contestant> contestants, Results results) throws Exception {
        describe(results);
        Loss loss = new Loss(arena, crew, results, out);
        LockCosts costs = new LockCosts(arena, crew, results, out);
        for (int round = 1; round <= pace.rounds(); round++) {
            if (round <= MOST_ROUNDS_OF_COSTS) {
                costs.run(round, withoutLimit(contestants));
            }
            if (contestants.contains(Contestant.PALS_2)) {
                loss.ended(round);
            }
        }
        // In the end, since it ends the processes too.
        for (int round = 1; round <= Math.min(pace.rounds(), MOST_ROUNDS_OF_COSTS); round++) {
            if (contestants.contains(Contestant.PALS_2)) {
                loss.silent(round);
            }
        }
    }

    /** Those costs of locks that are named in {@link Costs}, of the library as it comes. */
    void locks(Collection<String> costs, Results results) throws Exception {
        describe(results);
        LockCosts locks = new LockCosts(arena, crew, results, out);
        if (costs.contains(Costs.MANY_HELD)) {
            locks.held(Contestant.PALS_2, 1, MANY, 1);
        }
        if (costs.contains(Costs.MANY_WAIT)) {
            locks.waitedFor(Contestant.PALS_2, 1, 1);
        }
    }

    /** Time and allocation of one thread, by JMH. */
    void allocation(List<Contestant> contestants, Results results) throws Exception {
        describe(results);
        List<Contestant> here = withoutLimit(contestants).stream()
                .filter(each -> arena.refusal(each, Loads.of(Loads.OWN_1)).isEmpty())
                .toList();
        Allocation.measure(arena, here, pace.rounds(), pace.millis(), results, out);
    }

    /** The next part begins with new ones. */
    void endWorkers() {
        crew.close();
        virtualCrew.close();
    }

    private static List<Contestant> withoutLimit(List<Contestant> contestants) {
        return contestants.stream().filter(each -> each.role() != Role.LIMIT).toList();
    }

    private void describe(Results results) throws Exception {
        results.setting("date", LocalDate.now(Clock.systemUTC()).toString());
        results.setting(
                "machine",
                Runtime.getRuntime().availableProcessors() + " processors (" + processor() + "), "
                        + System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        results.setting("JDK", System.getProperty("java.vm.name") + " " + Runtime.version());
        results.setting(
                "JDK of virtual threads",
                VirtualThreads.jdk().map(jdk -> jdk.getFileName().toString()).orElse("none is installed"));
        results.setting("server", arena.serverSettings() + ", on the same machine unless PALS_DB_URL says otherwise");
        results.setting(
                "rounds",
                String.format(
                        Locale.ROOT,
                        "%d of %.2f s for each contender, each after %.2f s to warm up; one more before them that does not"
                                + " count; the costs of held locks and of waiters, and silent networks, in at most %d",
                        pace.rounds(),
                        pace.millis() / 1000.0,
                        pace.warmMillis() / 1000.0,
                        MOST_ROUNDS_OF_COSTS));
        results.setting("PALs", Contestant.settings());
        results.setting("seed of the order", Long.toString(pace.seed()));
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

    @Override
    public void close() throws Exception {
        endWorkers();
        arena.close();
    }
}
