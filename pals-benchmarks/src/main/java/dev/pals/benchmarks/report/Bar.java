package dev.pals.benchmarks.report;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Loads;
import java.util.Optional;

/**
 * Ratios that are not to fall: what the project aims at, and what the guard demands. The guard's bars leave room for
 * two noisy processors.
 */
public enum Bar {
    ONE_THREAD("one thread / raw JDBC", Loads.OWN_1, Contestant.PALS_2, Loads.OWN_1, Contestant.RAW, 0.95, 0.7),
    BATCHED(
            "64 threads, each its own key, on 4 sessions / raw JDBC on 64 connections",
            Loads.OWN_64,
            Contestant.PALS_4,
            Loads.OWN_64,
            Contestant.RAW,
            5,
            1.3),
    HANDED_OFF(
            "8 threads, one key / raw JDBC, 8 connections blocked in pg_advisory_lock",
            Loads.HOT_8,
            Contestant.PALS_2,
            Loads.HOT_8,
            Contestant.RAW,
            5,
            2.5),
    FAIR(
            "8 threads, one key / ReentrantLock(true)",
            Loads.HOT_8,
            Contestant.PALS_2,
            Loads.HOT_8,
            Contestant.JDK,
            0.8,
            0.35),
    BESIDE(
            "one thread beside 10,000 locks held / one thread",
            Loads.BESIDE,
            Contestant.PALS_2,
            Loads.OWN_1,
            Contestant.PALS_2,
            1 / 1.5,
            0.55),
    TRANSACTION(
            "8 threads, locked transactions / raw JDBC on as many connections",
            Loads.TRANSACTIONS,
            Contestant.PALS_TRANSACTION,
            Loads.TRANSACTIONS,
            Contestant.RAW,
            0.5,
            0.3);

    private final String title;
    private final String load;
    private final Contestant contestant;
    private final String otherLoad;
    private final Contestant other;
    private final double aim;
    private final double guarded;

    Bar(
            String title,
            String load,
            Contestant contestant,
            String otherLoad,
            Contestant other,
            double aim,
            double guarded) {
        this.title = title;
        this.load = load;
        this.contestant = contestant;
        this.otherLoad = otherLoad;
        this.other = other;
        this.aim = aim;
        this.guarded = guarded;
    }

    public String title() {
        return title;
    }

    /** What the project aims at. */
    public double aim() {
        return aim;
    }

    /** Below this the guard fails. */
    public double guarded() {
        return guarded;
    }

    /** Whether this bar needs the load. */
    public boolean needs(String someLoad) {
        return load.equals(someLoad) || otherLoad.equals(someLoad);
    }

    /** Whether this bar needs the contestant in the load. */
    public boolean needs(String someLoad, Contestant someone) {
        return (load.equals(someLoad) && contestant == someone) || (otherLoad.equals(someLoad) && other == someone);
    }

    public Optional<Spread> measured(Results results) {
        return results.ratio(load, contestant.id(), otherLoad, other.id());
    }

    /**
     * Whether the median reaches so many times the guard's bar. It does not where it was not measured, or where one of
     * the two has failed.
     */
    public boolean holds(Results results, double strictness) {
        boolean failed = results.notes().stream()
                .anyMatch(note -> note.failed() && needs(note.load(), Contestant.of(note.contender())));
        return !failed
                && measured(results)
                        .filter(ratio -> ratio.median() >= guarded * strictness)
                        .isPresent();
    }
}
