package dev.pals.benchmarks;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import dev.pals.benchmarks.report.Bar;
import dev.pals.benchmarks.report.Costs;
import dev.pals.benchmarks.report.Results;
import dev.pals.benchmarks.report.Spread;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * Compares what is measured with its bars. A bar holds where the median of the rounds reaches it. What does not hold is
 * measured again, and nothing else, twice at most, since a neighbour's noise passes and a slow lock stays slow: it
 * fails where it never holds.
 */
final class Guard {
    static final int ATTEMPTS = 3;

    private final double strictness;
    private final PrintStream out;

    /** Whose bars are multiplied: 1 is as they are. */
    Guard(double strictness, PrintStream out) {
        this.strictness = strictness;
        this.out = out;
    }

    /** Measures what bars need, in one run. */
    @FunctionalInterface
    interface Measurement {
        Results of(Collection<Bar> bars, int attempt) throws Exception;
    }

    /** Whether each bar holds, in one of the attempts. */
    boolean holds(Measurement measurement) throws Exception {
        List<Bar> open = List.of(Bar.values());
        for (int attempt = 1; attempt <= ATTEMPTS && !open.isEmpty(); attempt++) {
            Results results = measurement.of(open, attempt);
            open.forEach(bar -> say(bar, results));
            open = open.stream().filter(bar -> !bar.holds(results, strictness)).toList();
        }
        open.forEach(bar -> out.println("FAILED in " + ATTEMPTS + " attempts: " + bar.title()));
        return open.isEmpty();
    }

    private void say(Bar bar, Results results) {
        out.println((bar.holds(results, strictness) ? "holds: " : "FAILS: ") + bar.title() + ": "
                + bar.measured(results).map(Spread::withRange).orElse("not measured") + ", "
                + bar.limit(bar.guarded(strictness)));
    }

    /** The loads that bars are about. */
    static List<Load> loads(Collection<Bar> bars) {
        return Loads.all().stream()
                .filter(load -> bars.stream().anyMatch(bar -> bar.needs(load.name())))
                .toList();
    }

    /** The costs that bars are about. */
    static List<String> costs(Collection<Bar> bars) {
        return Costs.WITH_BARS.stream()
                .filter(cost -> bars.stream().anyMatch(bar -> bar.needs(cost)))
                .toList();
    }

    /** Those that bars need in a load. */
    static List<Contestant> contestants(Collection<Bar> bars, Load load) {
        return Arrays.stream(Contestant.values())
                .filter(contestant -> bars.stream().anyMatch(bar -> bar.needs(load.name(), contestant)))
                .toList();
    }
}
