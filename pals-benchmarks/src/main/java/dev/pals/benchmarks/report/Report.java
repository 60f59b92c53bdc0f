package dev.pals.benchmarks.report;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Contestant.Role;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The documents that results become: file names below {@code docs} and their contents. A pure function of the results.
 */
public final class Report {
    /** Why figures are as they are, and what would better them. */
    public static final String FINDINGS = "benchmarks/findings.md";

    private static final String NOTHING = "–";
    private static final List<Metric> OF_A_CYCLE = List.of(
            Metric.P50,
            Metric.P99,
            Metric.P999,
            Metric.SERVER_CPU,
            Metric.CLIENT_CPU,
            Metric.STATEMENTS,
            Metric.CONNECTIONS,
            Metric.LEAST_SHARE);

    private static final List<Metric> OF_A_COST =
            List.of(Metric.CONNECTIONS, Metric.HEAP, Metric.CYCLE_TIME, Metric.ALLOCATED, Metric.NOTICED);

    private final Results results;
    private final boolean explained;
    private final StringBuilder text = new StringBuilder();
    private final Map<String, String> files = new LinkedHashMap<>();

    private Report(Results results, boolean explained) {
        this.results = results;
        this.explained = explained;
    }

    /** The documents; {@code explained} says that {@link #FINDINGS} is there, which people write. */
    public static Map<String, String> of(Results results, boolean explained) {
        Report report = new Report(results, explained);
        report.write();
        return report.files;
    }

    private void write() {
        text.append("""
                # Benchmarks

                Written by this command, which measures everything; not to be edited:

                ```text
                mvn -pl pals-benchmarks -am -DskipTests package exec:exec@benchmarks
                ```

                How to measure a part of it, to profile, and what the contenders are, is in
                [its README](../pals-benchmarks/README.md).

                Contenders have their turns within each round, in a shuffled order, and a ratio is of two rates in the same
                round: its median over the rounds, with the least and the greatest. "raw JDBC" is the floor: a connection for
                each thread, prepared statements, a round trip to lock and one to unlock. Latency is from the request until the
                lock is had; threads ask again as soon as they have released, so it shows no queue of arrivals, and no wait longer than
                a turn. Processor time is of all cycles, also those of the warm-up. Statements were counted in the round that does not count. Connections
                are those to PostgreSQL and to Redis. Each section with a lock was counted: a contender that has lost a count is under
                "Failed".

                """);
        settings();
        bars();
        behind();
        text.append("## Loads\n");
        Map<String, BarChart> charts = new LinkedHashMap<>();
        for (Load load : Loads.all()) {
            load(load, charts);
        }
        charts.forEach((family, chart) -> files.put("benchmarks/" + family + ".svg", chart.svg()));
        costs();
        failures();
        files.put("benchmarks.md", text.toString());
    }

    private void settings() {
        text.append("| setting | |\n|---|---|\n");
        results.settings().forEach((name, values) -> row(List.of(name, String.join("; ", values))));
        text.append('\n');
    }

    private void bars() {
        text.append("## Bars\n\n| bar | aim | measured | reached | the guard's bar |\n|---|---|---|---|---|\n");
        for (Bar bar : Bar.values()) {
            Optional<Spread> measured = bar.measured(results);
            row(List.of(
                    bar.title(),
                    bar.limit(bar.aim()),
                    measured.map(Spread::withRange).orElse(NOTHING),
                    bar.isReached(results)
                            .map(reached -> reached ? "yes" : "no")
                            .orElse(NOTHING),
                    bar.limit(bar.guarded())));
        }
        text.append('\n');
    }

    /** Where the best of ours makes less than the best peer. */
    private void behind() {
        text.append("## Where PALs is behind\n\n");
        List<String> behind = new ArrayList<>();
        for (Load load : Loads.all()) {
            Optional<Contestant> ours = best(load, Role.OURS);
            Optional<Contestant> peer = best(load, Role.PEER);
            if (ours.isPresent() && peer.isPresent()) {
                results.ratio(
                                load.name(),
                                ours.get().id(),
                                load.name(),
                                peer.get().id())
                        .filter(ratio -> ratio.median() < 1)
                        .ifPresent(ratio -> behind.add(
                                "- " + load.title() + ": " + ours.get().title() + " makes " + ratio.withRange() + " of "
                                        + peer.get().title() + ".\n"));
            }
        }
        if (explained) {
            text.append("Why, and what would better it, is in [findings.md](" + FINDINGS + ").\n\n");
        }
        text.append(behind.isEmpty() ? "In none of the loads measured.\n" : String.join("", behind))
                .append('\n');
    }

    private Optional<Contestant> best(Load load, Role role) {
        return contestants(load).stream()
                .filter(each -> each.role() == role)
                .max(Comparator.comparingDouble(each -> results.spread(load.name(), each.id(), Metric.RATE)
                        .map(Spread::median)
                        .orElse(0.0)));
    }

    private List<Contestant> contestants(Load load) {
        return Arrays.stream(Contestant.values())
                .filter(each ->
                        results.spread(load.name(), each.id(), Metric.RATE).isPresent())
                .toList();
    }

    private void load(Load load, Map<String, BarChart> charts) {
        List<Contestant> measured = contestants(load);
        if (measured.isEmpty()) {
            return;
        }
        text.append("\n### ")
                .append(load.title())
                .append("\n\n`")
                .append(load.name())
                .append("`\n\n");
        List<Metric> metrics = OF_A_CYCLE.stream()
                .filter(metric -> measured.stream()
                        .anyMatch(each ->
                                results.spread(load.name(), each.id(), metric).isPresent()))
                .toList();
        Optional<Contestant> peer = best(load, Role.PEER);
        List<String> head = new ArrayList<>(List.of("", "cycles/s", "/ raw JDBC", "/ best peer"));
        metrics.forEach(metric -> head.add(metric.title()));
        row(head);
        text.append("|---".repeat(head.size())).append("|\n");
        for (Contestant each : measured) {
            List<String> cells = new ArrayList<>(List.of(each.title(), median(load.name(), each, Metric.RATE)));
            cells.add(ratio(load, each, Optional.of(Contestant.RAW)));
            cells.add(ratio(load, each, peer));
            metrics.forEach(metric -> cells.add(median(load.name(), each, metric)));
            row(cells);
        }
        text.append('\n');
        leftOut(load.name());
        if (load.act() == Load.Act.READ_MOSTLY && measured.contains(Contestant.SPRING)) {
            text.append(Contestant.SPRING.title()).append(" has no shared locks: its readers lock exclusively.\n\n");
        }
        chart(load, measured, charts);
    }

    private String median(String load, Contestant contestant, Metric metric) {
        return results.spread(load, contestant.id(), metric)
                .map(spread -> Spread.number(spread.median()))
                .orElse(NOTHING);
    }

    private String ratio(Load load, Contestant contestant, Optional<Contestant> to) {
        return to.filter(other -> other != contestant)
                .flatMap(other -> results.ratio(load.name(), contestant.id(), load.name(), other.id()))
                .map(Spread::withRange)
                .orElse(NOTHING);
    }

    private void leftOut(String load) {
        Map<String, String> byReason = new LinkedHashMap<>();
        results.notes().stream()
                .filter(note -> note.load().equals(load) && !note.failed())
                .forEach(note -> byReason.merge(
                        note.text(), Contestant.of(note.contender()).title(), (some, more) -> some + "; " + more));
        String what = Loads.all().stream().anyMatch(each -> each.name().equals(load)) ? "" : ", " + load;
        byReason.forEach((reason, who) -> text.append("Not measured")
                .append(what)
                .append(": ")
                .append(who)
                .append(" (")
                .append(reason)
                .append(").\n\n"));
    }

    /** Loads that differ in the number of threads share a picture. */
    private void chart(Load load, List<Contestant> measured, Map<String, BarChart> charts) {
        Contestant one = measured.contains(Contestant.RAW) ? Contestant.RAW : measured.get(0);
        List<BarChart.Row> rows = measured.stream()
                .flatMap(each -> results
                        .ratio(load.name(), each.id(), load.name(), one.id())
                        .map(ratio -> new BarChart.Row(each.title(), ratio, each.role() == Role.OURS))
                        .stream())
                .toList();
        String family = load.name().replaceFirst("-\\d+", "");
        if (!charts.containsKey(family)) {
            charts.put(family, new BarChart());
            text.append("![")
                    .append(load.title())
                    .append("](benchmarks/")
                    .append(family)
                    .append(".svg)\n");
        }
        charts.computeIfAbsent(family, name -> new BarChart())
                .panel(new BarChart.Panel(load.title(), "1 = " + one.title(), rows));
    }

    /** Everything that is not a load: a table for each metric, a column for each kind of cost. */
    private void costs() {
        List<String> loads = Loads.all().stream().map(Load::name).toList();
        List<String> kinds = Stream.concat(
                        results.figures().stream().map(Figure::load),
                        results.notes().stream().map(Note::load))
                .distinct()
                .filter(kind -> !loads.contains(kind))
                .toList();
        text.append("\n## Costs\n");
        for (Metric metric : OF_A_COST) {
            List<String> columns = kinds.stream()
                    .filter(kind -> Arrays.stream(Contestant.values()).anyMatch(each -> has(kind, each, metric)))
                    .toList();
            if (!columns.isEmpty()) {
                cost(metric, columns);
            }
        }
        text.append('\n');
        kinds.forEach(this::leftOut);
        opening();
    }

    private void cost(Metric metric, List<String> columns) {
        text.append("\n### ").append(metric.title()).append("\n\n");
        List<String> head = new ArrayList<>(List.of(""));
        head.addAll(columns);
        row(head);
        text.append("|---".repeat(head.size())).append("|\n");
        for (Contestant each : Contestant.values()) {
            if (columns.stream().anyMatch(column -> has(column, each, metric))) {
                List<String> cells = new ArrayList<>(List.of(each.title()));
                columns.forEach(column -> cells.add(results.spread(column, each.id(), metric)
                        .map(Spread::withRange)
                        .orElse(NOTHING)));
                row(cells);
            }
        }
    }

    private boolean has(String kind, Contestant contestant, Metric metric) {
        return results.spread(kind, contestant.id(), metric).isPresent();
    }

    private void opening() {
        text.append("""

                ### opened and first lock, ms

                Of several JVMs at once, the slowest:

                | contender | 1 JVM | 2 JVMs | 4 JVMs |
                |---|---|---|---|
                """);
        for (Contestant each : Contestant.values()) {
            List<String> cells = new ArrayList<>(List.of(each.title()));
            for (String load : List.of(Loads.HOT_8, Loads.HOT_8 + "-2jvms", Loads.HOT_8 + "-4jvms")) {
                cells.add(results.spread(load, each.id(), Metric.OPENING)
                        .map(Spread::withRange)
                        .orElse(NOTHING));
            }
            if (cells.stream().skip(1).anyMatch(cell -> !cell.equals(NOTHING))) {
                row(cells);
            }
        }
    }

    private void failures() {
        List<Note> failures = results.notes().stream().filter(Note::failed).toList();
        if (!failures.isEmpty()) {
            text.append("\n## Failed\n\n");
            failures.forEach(note -> text.append("- `")
                    .append(note.load())
                    .append("`, ")
                    .append(note.who())
                    .append(": ")
                    .append(note.text())
                    .append('\n'));
        }
    }

    private void row(List<String> cells) {
        cells.forEach(cell -> text.append("| ").append(cell.replace("|", "\\|")).append(' '));
        text.append("|\n");
    }
}
