package dev.pals.benchmarks.report;

import java.util.List;

/** The names of those costs that have a bar. */
public final class Costs {
    public static final String MANY_HELD = "10,000 locks held";
    public static final String MANY_WAIT = "1,000 threads wait for one key";
    public static final List<String> WITH_BARS = List.of(MANY_HELD, MANY_WAIT);

    private Costs() {}
}
