package dev.pals.benchmarks.micro;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Place;
import dev.pals.benchmarks.harness.Arena;
import dev.pals.benchmarks.report.Figure;
import dev.pals.benchmarks.report.Metric;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import java.io.IOException;
import java.io.PrintStream;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Locale;
import java.util.Objects;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Time and allocation of one thread's cycle, by JMH and its profiler of garbage collection. */
public final class Allocation {
    /** The name in results. */
    public static final String NAME = "one thread, JMH";

    private static final String PROFILED = "gc.alloc.rate.norm";

    private Allocation() {}

    /** Measures each contestant in a JVM of its own; an iteration is a round. */
    public static void measure(
            Arena arena, Collection<Contestant> contestants, int rounds, long millis, Results results, PrintStream out)
            throws SQLException, IOException {
        for (Contestant contestant : contestants) {
            arena.clean();
            try {
                Collection<RunResult> runs = run(contestant, arena.place(0), rounds, millis);
                for (RunResult run : runs) {
                    for (BenchmarkResult fork : run.getBenchmarkResults()) {
                        int round = 0;
                        for (IterationResult iteration : fork.getIterationResults()) {
                            round++;
                            add(contestant, round, iteration, results, out);
                        }
                    }
                }
            } catch (RunnerException e) {
                e.printStackTrace(out);
                results.add(Note.failure(NAME, contestant, reason(e)));
            }
        }
    }

    private static Collection<RunResult> run(Contestant contestant, Place place, int rounds, long millis)
            throws RunnerException {
        return new Runner(new OptionsBuilder()
                        .include("^" + SingleCycle.class.getName() + "\\.")
                        .param("contestant", contestant.id())
                        .param("url", place.url())
                        .param("redis", Objects.requireNonNullElse(place.redis(), ""))
                        .forks(1)
                        .warmupIterations(5)
                        .warmupTime(TimeValue.milliseconds(millis))
                        .measurementIterations(rounds)
                        .measurementTime(TimeValue.milliseconds(millis))
                        .addProfiler(GCProfiler.class)
                        .shouldFailOnError(true)
                        .verbosity(VerboseMode.SILENT)
                        .build())
                .run();
    }

    /** JMH's own exceptions say only that there was one, and have it as their cause or among the suppressed. */
    private static Throwable reason(Throwable failure) {
        Throwable inner = failure.getCause();
        if (inner == null && failure.getSuppressed().length > 0) {
            inner = failure.getSuppressed()[0];
        }
        return inner == null ? failure : reason(inner);
    }

    // JMH's own signature has the raw type.
    @SuppressWarnings("rawtypes")
    private static void add(
            Contestant contestant, int round, IterationResult iteration, Results results, PrintStream out) {
        double micros = iteration.getPrimaryResult().getScore();
        double bytes = iteration.getSecondaryResults().entrySet().stream()
                .filter(each -> each.getKey().endsWith(PROFILED))
                .mapToDouble(each -> each.getValue().getScore())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("JMH has no " + PROFILED));
        results.add(new Figure(NAME, contestant.id(), Metric.CYCLE_TIME, round, micros));
        results.add(new Figure(NAME, contestant.id(), Metric.ALLOCATED, round, bytes));
        out.printf(
                Locale.ROOT,
                "%2d    %-46s %-46s %,8.1f µs, %,10.0f bytes a cycle%n",
                round,
                NAME,
                contestant.title(),
                micros,
                bytes);
    }
}
