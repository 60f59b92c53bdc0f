package dev.pals.benchmarks.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The documents that results become: file names below {@code docs} and their contents. A pure function of the results.
 */
public final class Report {
    /** Why figures are as they are, and what would better them. */
    public static final String FINDINGS = "benchmarks/findings.md";

    private final Judged judged;
    private final boolean explained;
    private final Markdown document = new Markdown();

    private Report(Results results, boolean explained) {
        this.judged = new Judged(results);
        this.explained = explained;
    }

    /** The documents; {@code explained} says that {@link #FINDINGS} is there, which people write. */
    public static Map<String, String> of(Results results, boolean explained) {
        return new Report(results, explained).write();
    }

    private Map<String, String> write() {
        document.say("""
                # Benchmarks

                Written by this command, which measures everything; not to be edited:

                ```text
                mvn -pl pals-benchmarks -am -DskipTests package exec:exec@benchmarks
                ```

                How to measure a part of it, to profile, and what the contenders are, is in
                [its README](../pals-benchmarks/README.md).

                Under each load contenders have their turns within each round, in a shuffled order, and a ratio is of two rates in
                the same round: its median over the rounds, with the least and the greatest. Costs are measured one contender after
                the other, and not shuffled. "raw JDBC, held connections" is the floor: a connection for each thread, prepared
                statements, a round trip to lock and one to unlock.

                Latency is from the request until the lock is had. A wait that still goes on at the end of the turn counts with the
                time so far: no wait is longer than a turn and its warm-up, so that p99 and p99.9 are too low of a contender that lets
                threads starve. Threads ask again as soon as they have released, so there is no queue of arrivals.

                Processor time is of all cycles, also those of the warm-up. Statements were counted in the round that does not
                count. Connections are those to PostgreSQL and to Redis.

                Each section with a lock was counted. A contender that has lost a count under a load, or could not go on, has failed
                there: it has no figures, and is not the best peer. The reasons are under "Failed".

                """);
        settings();
        bars();
        new Comparison(judged, document).write(explained);
        Map<String, String> files = new LinkedHashMap<>();
        new LoadTables(judged, document)
                .write()
                .forEach((family, chart) -> files.put("benchmarks/" + family + ".svg", chart.svg()));
        new CostTables(judged, document).write();
        failures();
        files.put("benchmarks.md", document.toString());
        return files;
    }

    private void settings() {
        document.head(List.of("setting", ""));
        judged.results().settings().forEach((name, values) -> document.row(List.of(name, String.join("; ", values))));
        document.say("\n");
    }

    private void bars() {
        document.say("## Bars\n\n");
        document.head(List.of("bar", "aim", "measured", "reached", "the guard's bar"));
        for (Bar bar : Bar.values()) {
            boolean failed = judged.failed(bar);
            Optional<Spread> measured = bar.measured(judged.results());
            String reached = bar.isReached(judged.results())
                    .map(yes -> yes ? "yes" : "no")
                    .orElse(Markdown.NOTHING);
            document.row(List.of(
                    bar.title(),
                    bar.limit(bar.aim()),
                    failed ? Markdown.FAILED : Markdown.withRange(measured),
                    failed ? "no" : reached,
                    bar.limit(bar.guarded())));
        }
        document.say("\n");
    }

    private void failures() {
        List<Note> failures = judged.failures();
        if (!failures.isEmpty()) {
            document.say("\n## Failed\n\n");
            failures.forEach(
                    note -> document.say("- `" + note.load() + "`, " + note.who() + ": " + note.text() + "\n"));
        }
    }
}
