package dev.pals.benchmarks;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import dev.pals.benchmarks.report.Bar;
import dev.pals.benchmarks.report.Results;
import dev.pals.benchmarks.report.Spread;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;

/** Compares what was measured with the guard's bars. */
final class Guard {
    private final Results results;

    Guard(Results results) {
        this.results = results;
    }

    /** The loads that bars are about. */
    static List<Load> loads() {
        return Loads.all().stream()
                .filter(load -> !contestants(List.of(load)).isEmpty())
                .toList();
    }

    /** The contestants that bars are about. */
    static List<Contestant> contestants(List<Load> group) {
        return Arrays.stream(Contestant.values())
                .filter(contestant -> group.stream()
                        .anyMatch(load ->
                                Arrays.stream(Bar.values()).anyMatch(bar -> bar.needs(load.name(), contestant))))
                .toList();
    }

    /** Says for each bar whether it holds, and returns whether all do. */
    boolean verdict(PrintStream out) {
        boolean holds = true;
        for (Bar bar : Bar.values()) {
            boolean held = bar.holds(results);
            holds &= held;
            out.println((held ? "holds: " : "BELOW: ") + bar.title() + ": "
                    + bar.measured(results).map(Spread::withRange).orElse("not measured") + ", at least "
                    + Spread.number(bar.guarded()));
        }
        return holds;
    }
}
