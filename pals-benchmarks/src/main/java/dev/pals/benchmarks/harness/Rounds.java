package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.report.Figure;
import dev.pals.benchmarks.report.Metric;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.HdrHistogram.Histogram;

/**
 * Measures loads in rounds: within each round every contender has its turn, in an order of its own, so that a noisy
 * machine disturbs all alike, and ratios are of the same minutes. Round 0 is for the compiler and for counting
 * statements; its rates are not used. A turn that fails ends the workers, so the round is run again without it, after
 * another round 0 for the new workers.
 */
public final class Rounds {
    private static final double NANOS_OF_A_MICRO = 1_000;
    private static final double NANOS_OF_A_MILLI = 1_000_000;

    private final Arena arena;
    private final Crew crew;
    private final Results results;
    private final Pace pace;
    private final PrintStream out;
    private final Random random;

    public Rounds(Arena arena, Crew crew, Results results, Pace pace, PrintStream out) {
        this.arena = arena;
        this.crew = crew;
        this.results = results;
        this.pace = pace;
        this.out = out;
        this.random = new Random(pace.seed());
    }

    /**
     * How long it is measured.
     *
     * @param rounds how many
     * @param millis of each turn
     * @param seed of the order
     */
    public record Pace(int rounds, long millis, long seed) {
        private static final long LONGEST_WARM_UP = 300;
        /** Measured: with 64 threads the compiler goes on for about a second. */
        private static final long LEAST_TO_COMPILE = 1_000;

        /** Connections are new in each turn, code is not. */
        public long warmMillis() {
            return Math.min(millis / 2, LONGEST_WARM_UP);
        }

        long millis(int round) {
            return round == 0 ? Math.max(millis, LEAST_TO_COMPILE) : millis;
        }
    }

    private record Turn(Load load, Contestant contestant) {}

    /** Measures loads that are compared with one another, each with contestants of its own. */
    public void run(List<Load> group, Function<Load, List<Contestant>> contestants) throws Exception {
        List<Turn> turns = turns(group, contestants);
        warmUp(turns);
        int round = 1;
        while (round <= pace.rounds()) {
            if (runsThrough(turns, round)) {
                round++;
            } else {
                warmUp(turns);
            }
        }
    }

    private void warmUp(List<Turn> turns) throws Exception {
        arena.observer().countStatements(true);
        boolean warm = false;
        while (!warm) {
            warm = runsThrough(turns, 0);
        }
        arena.observer().countStatements(false);
    }

    /** Runs a round, whose figures count if no turn fails. One that does is the last of its contender in its load. */
    private boolean runsThrough(List<Turn> turns, int round) throws Exception {
        Results found = new Results();
        Collections.shuffle(turns, random);
        for (Turn turn : turns) {
            try {
                measure(turn, round, found);
            } catch (TurnFailedException e) {
                out.println(e.getMessage());
                turns.remove(turn);
                results.add(new Note(turn.load().name(), turn.contestant().id(), e.summary(), true));
                return false;
            }
        }
        results.add(found);
        return true;
    }

    private List<Turn> turns(List<Load> group, Function<Load, List<Contestant>> contestants) {
        List<Turn> turns = new ArrayList<>();
        for (Load load : group) {
            for (Contestant contestant : contestants.apply(load)) {
                String refusal = arena.refusal(contestant, load);
                if (refusal.isEmpty()) {
                    turns.add(new Turn(load, contestant));
                } else if (contestant.role() != Contestant.Role.LIMIT) {
                    results.add(new Note(load.name(), contestant.id(), refusal, false));
                }
            }
        }
        return turns;
    }

    private void measure(Turn turn, int round, Results found) throws Exception {
        Load load = turn.load();
        Observer observer = arena.observer();
        arena.clean();
        List<Long> opened = crew.open(turn.contestant(), load, arena.place(load.held()));
        long statements = round == 0 && observer.counts() ? observer.statements() : 0;
        Map<Long, Double> processor = observer.processorNanos();
        List<Answer.Ran> ran = crew.run(load, pace.warmMillis(), pace.millis(round));
        double serverNanos = Observer.since(processor, observer.processorNanos());
        boolean local = !processor.isEmpty();
        long cycles = ran.stream().mapToLong(Answer.Ran::cycles).sum();
        long allCycles = ran.stream().mapToLong(Answer.Ran::allCycles).sum();
        double rate =
                ran.stream().mapToDouble(each -> each.cycles() / each.seconds()).sum();
        out.printf(
                Locale.ROOT,
                "%2d/%d  %-24s %-46s %,12.0f cycles/s%n",
                round,
                pace.rounds(),
                load.name(),
                turn.contestant().title(),
                rate);
        if (round == 0) {
            // Redis has commands of another kind; they are not counted.
            if (observer.counts() && !turn.contestant().needsRedis() && allCycles > 0) {
                add(found, turn, Metric.STATEMENTS, 1, (double) (observer.statements() - statements) / allCycles);
            }
            crew.closeContender(load);
            return;
        }
        add(found, turn, Metric.RATE, round, rate);
        addLatency(turn, round, ran, found);
        if (allCycles > 0) {
            if (local) {
                add(found, turn, Metric.SERVER_CPU, round, serverNanos / allCycles / NANOS_OF_A_MICRO);
            }
            double clientNanos =
                    ran.stream().mapToLong(Answer.Ran::processorNanos).sum();
            long bytes = ran.stream().mapToLong(Answer.Ran::allocatedBytes).sum();
            if (bytes > 0) {
                add(found, turn, Metric.ALLOCATED, round, (double) bytes / allCycles);
            }
            add(found, turn, Metric.CLIENT_CPU, round, clientNanos / allCycles / NANOS_OF_A_MICRO);
        }
        add(found, turn, Metric.CONNECTIONS, round, (double) observer.connections());
        add(found, turn, Metric.OPENING, round, Collections.max(opened) / NANOS_OF_A_MILLI);
        if (load.processes() > 1 && cycles > 0) {
            long least = ran.stream().mapToLong(Answer.Ran::cycles).min().orElse(0);
            add(found, turn, Metric.LEAST_SHARE, round, 100.0 * least / cycles);
        }
        crew.closeContender(load);
    }

    private static void addLatency(Turn turn, int round, List<Answer.Ran> ran, Results found) {
        Histogram waits = new Histogram(ran.get(0).waits());
        ran.forEach(each -> waits.add(each.waits()));
        if (waits.getTotalCount() > 0) {
            add(found, turn, Metric.P50, round, waits.getValueAtPercentile(50) / NANOS_OF_A_MICRO);
            add(found, turn, Metric.P99, round, waits.getValueAtPercentile(99) / NANOS_OF_A_MICRO);
            add(found, turn, Metric.P999, round, waits.getValueAtPercentile(99.9) / NANOS_OF_A_MICRO);
        }
    }

    private static void add(Results found, Turn turn, Metric metric, int round, double value) {
        found.add(new Figure(turn.load().name(), turn.contestant().id(), metric, round, value));
    }
}
