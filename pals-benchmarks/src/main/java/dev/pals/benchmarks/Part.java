package dev.pals.benchmarks;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import dev.pals.benchmarks.report.Results;
import java.util.ArrayList;
import java.util.List;

/** What can be measured without the others, and has a file of results. */
record Part(String name, List<Load> loads, How how) {
    static final String COSTS = "costs";
    static final String ALLOCATION = "allocation";

    @FunctionalInterface
    private interface How {
        void measure(Measurements measurements, List<Contestant> contestants, Results results) throws Exception;
    }

    /** All of them, in the order in which they are measured. */
    static List<Part> all() {
        List<Part> parts = new ArrayList<>();
        for (List<Load> group : Loads.grouped(Loads.all())) {
            parts.add(new Part(
                    group.get(0).name(),
                    group,
                    (measurements, contestants, results) -> measurements.loads(group, load -> contestants, results)));
        }
        parts.add(new Part(COSTS, List.of(), Measurements::costs));
        parts.add(new Part(ALLOCATION, List.of(), Measurements::allocation));
        return parts;
    }

    /** Adds what it finds, so that it is there also where a later thing fails. */
    void measure(Measurements measurements, List<Contestant> contestants, Results results) throws Exception {
        try {
            how.measure(measurements, contestants, results);
        } catch (Exception e) {
            // What is open in them would disturb the next part.
            measurements.endWorkers();
            throw e;
        }
    }

    /** Whether one of the names, or of their beginnings, means it or one of its loads. */
    boolean isIn(List<String> names) {
        return names.stream().anyMatch(this::isMeantBy);
    }

    private boolean isMeantBy(String pattern) {
        if (!pattern.endsWith("*")) {
            return name.equals(pattern)
                    || loads.stream().anyMatch(load -> load.name().equals(pattern));
        }
        String beginning = pattern.substring(0, pattern.length() - 1);
        return name.startsWith(beginning)
                || loads.stream().anyMatch(load -> load.name().startsWith(beginning));
    }
}
