package dev.pals.benchmarks.report;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Loads;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is not to become worse: what the project aims at, and what the guard demands. The guard's bars of rates and
 * shares are about 0.7 to 0.9 of the least that its attempts came to on two processors with five times as much to do;
 * connections do not depend on noise.
 */
// The records below are of constants only.
@SuppressWarnings("ImmutableEnumChecker")
public enum Bar {
    ONE_THREAD(
            "one thread / raw JDBC",
            rate(Loads.OWN_1, Contestant.PALS_2),
            rate(Loads.OWN_1, Contestant.RAW),
            atLeast(0.95, 0.7)),
    BATCHED(
            "64 threads, each its own key, on 4 sessions / raw JDBC on 64 connections",
            rate(Loads.OWN_64, Contestant.PALS_4),
            rate(Loads.OWN_64, Contestant.RAW),
            atLeast(5, 1.5)),
    HANDED_OFF(
            "8 threads, one key / raw JDBC, 8 connections blocked in pg_advisory_lock",
            rate(Loads.HOT_8, Contestant.PALS_2),
            rate(Loads.HOT_8, Contestant.RAW),
            atLeast(5, 4.6)),
    FAIR(
            "8 threads, one key / ReentrantLock(true)",
            rate(Loads.HOT_8, Contestant.PALS_2),
            rate(Loads.HOT_8, Contestant.JDK),
            atLeast(0.8, 0.4)),
    BESIDE(
            "one thread beside 10,000 locks held / one thread",
            rate(Loads.BESIDE, Contestant.PALS_2),
            rate(Loads.OWN_1, Contestant.PALS_2),
            atLeast(1 / 1.5, 0.55)),
    TRANSACTION(
            "8 threads, locked transactions / raw JDBC on as many connections",
            rate(Loads.TRANSACTIONS, Contestant.PALS_TRANSACTION),
            rate(Loads.TRANSACTIONS, Contestant.RAW),
            atLeast(0.5, 0.3)),
    MANY_HELD(
            "connections of one locker that holds 10,000 locks",
            new Series(Costs.MANY_HELD, Contestant.PALS_2, Metric.CONNECTIONS),
            null,
            atMost(24, 24)),
    MANY_WAIT(
            "connections of one JVM where 1,000 threads wait for one key, the holder's among them",
            new Series(Costs.MANY_WAIT, Contestant.PALS_2, Metric.CONNECTIONS),
            null,
            atMost(2, 2)),
    SHARE(
            "2 JVMs, one key: the turns of the one that has fewer, %",
            new Series(Loads.HOT_8_IN_TWO, Contestant.PALS_2, Metric.LEAST_SHARE), null, atLeast(40, 25));

    private final String title;
    private final Series series;
    private final @Nullable Series floor;
    private final Limit limit;

    Bar(String title, Series series, @Nullable Series floor, Limit limit) {
        this.title = title;
        this.series = series;
        this.floor = floor;
        this.limit = limit;
    }

    private record Series(String load, Contestant contestant, Metric metric) {}

    private record Limit(boolean atMost, double aim, double guarded) {}

    private static Series rate(String load, Contestant contestant) {
        return new Series(load, contestant, Metric.RATE);
    }

    private static Limit atLeast(double aim, double guarded) {
        return new Limit(false, aim, guarded);
    }

    private static Limit atMost(double aim, double guarded) {
        return new Limit(true, aim, guarded);
    }

    public String title() {
        return title;
    }

    /** What the project aims at. */
    public double aim() {
        return limit.aim;
    }

    /** What the guard demands. */
    public double guarded() {
        return limit.guarded;
    }

    /** What the guard demands where it is so many times as strict. */
    public double guarded(double strictness) {
        return limit.atMost ? limit.guarded / strictness : limit.guarded * strictness;
    }

    /** The same for people, as in "at least 0.95". */
    public String limit(double value) {
        return (limit.atMost ? "at most " : "at least ") + Spread.number(value);
    }

    /** Whether this bar needs the load, or the cost. */
    public boolean needs(String someLoad) {
        return series().anyMatch(each -> each.load.equals(someLoad));
    }

    /** Whether this bar needs the contestant in the load. */
    public boolean needs(String someLoad, Contestant someone) {
        return series().anyMatch(each -> each.load.equals(someLoad) && each.contestant == someone);
    }

    private Stream<Series> series() {
        return floor == null ? Stream.of(series) : Stream.of(series, floor);
    }

    public Optional<Spread> measured(Results results) {
        return floor == null
                ? results.spread(series.load, series.contestant.id(), series.metric)
                : results.ratio(series.load, series.contestant.id(), floor.load, floor.contestant.id());
    }

    /** Whether the median is what the project aims at; empty where it was not measured. */
    public Optional<Boolean> isReached(Results results) {
        return measured(results).map(spread -> isWithin(spread, limit.aim));
    }

    /**
     * Whether the median is what the guard demands. It is not where it was not measured, or where one of those compared
     * has failed.
     */
    public boolean holds(Results results, double strictness) {
        boolean failed = results.notes().stream()
                .anyMatch(note -> note.failed()
                        && series().anyMatch(each -> each.load.equals(note.load())
                                && each.contestant.id().equals(note.contender())));
        return !failed
                && measured(results)
                        .filter(spread -> isWithin(spread, guarded(strictness)))
                        .isPresent();
    }

    private boolean isWithin(Spread spread, double value) {
        return limit.atMost ? spread.median() <= value : spread.median() >= value;
    }
}
