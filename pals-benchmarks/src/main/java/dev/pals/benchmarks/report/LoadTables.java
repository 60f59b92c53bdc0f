package dev.pals.benchmarks.report;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Contestant.Role;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A table for each load, and a picture for loads that differ in the number of threads alone. */
final class LoadTables {
    private static final List<Metric> OF_A_CYCLE = List.of(
            Metric.P50,
            Metric.P99,
            Metric.P999,
            Metric.SERVER_CPU,
            Metric.CLIENT_CPU,
            Metric.ALLOCATED,
            Metric.STATEMENTS,
            Metric.CONNECTIONS,
            Metric.LEAST_SHARE);

    private final Judged judged;
    private final Markdown document;
    private final Map<String, BarChart> charts = new LinkedHashMap<>();

    LoadTables(Judged judged, Markdown document) {
        this.judged = judged;
        this.document = document;
    }

    /** Writes the tables, and returns the pictures by the names that the document has for them. */
    Map<String, BarChart> write() {
        document.say("## Loads\n");
        Loads.all().forEach(this::load);
        return charts;
    }

    private void load(Load load) {
        List<Contestant> measured = judged.contestants(load);
        List<Note> notes = judged.results().notes();
        if (measured.isEmpty() && notes.stream().noneMatch(note -> note.load().equals(load.name()))) {
            return;
        }
        document.say("\n### " + load.title() + "\n\n`" + load.name() + "`\n\n");
        table(load, measured);
        document.say("\n");
        document.leftOut(load.name(), notes);
        if (load.act() == Load.Act.READ_MOSTLY && measured.contains(Contestant.SPRING)) {
            document.say(Contestant.SPRING.title() + " has no shared locks: its readers lock exclusively.\n\n");
        }
        if (load.held() > 0) {
            beside(load);
        }
        if (!measured.isEmpty()) {
            chart(load, measured);
        }
    }

    private void table(Load load, List<Contestant> measured) {
        List<Metric> metrics = OF_A_CYCLE.stream()
                .filter(metric -> measured.stream()
                        .anyMatch(
                                each -> judged.spread(load.name(), each, metric).isPresent()))
                .toList();
        List<String> head = new ArrayList<>(List.of("", "cycles/s", "/ raw JDBC", "/ best peer"));
        metrics.forEach(metric -> head.add(metric.title()));
        document.head(head);
        for (Contestant each : Contestant.values()) {
            boolean failed = judged.failed(load.name(), each);
            if (failed || measured.contains(each)) {
                List<String> cells = new ArrayList<>(
                        List.of(each.title(), failed ? Markdown.FAILED : median(load, each, Metric.RATE)));
                cells.add(Markdown.withRange(judged.ratio(load, each, Contestant.RAW)));
                cells.add(Markdown.withRange(judged.fastestPeer(load).flatMap(peer -> judged.ratio(load, each, peer))));
                metrics.forEach(metric -> cells.add(median(load, each, metric)));
                document.row(cells);
            }
        }
    }

    private String median(Load load, Contestant contestant, Metric metric) {
        return judged.spread(load.name(), contestant, metric)
                .map(spread -> Spread.number(spread.median()))
                .orElse(Markdown.NOTHING);
    }

    private void beside(Load load) {
        document.say("""
                Who is measured holds them too: raw JDBC on the connection that is measured, where PostgreSQL goes through all of
                them at the end of each statement, and the library in the locker that is measured, which spreads them over its sessions.
                A program could keep them on another connection; so here is each against raw JDBC that holds none:

                """);
        document.head(List.of("", "/ raw JDBC, 1 thread, its own key"));
        for (Contestant each : judged.contestants(load)) {
            document.row(List.of(
                    each.title(),
                    Markdown.withRange(
                            judged.results().ratio(load.name(), each.id(), Loads.OWN_1, Contestant.RAW.id()))));
        }
        document.say("\n");
    }

    private void chart(Load load, List<Contestant> measured) {
        Contestant one = measured.contains(Contestant.RAW) ? Contestant.RAW : measured.get(0);
        List<BarChart.Row> rows = measured.stream()
                .flatMap(each -> judged
                        .results()
                        .ratio(load.name(), each.id(), load.name(), one.id())
                        .map(ratio -> new BarChart.Row(each.title(), ratio, each.role() == Role.OURS))
                        .stream())
                .toList();
        String family = load.name().replaceFirst("-\\d+", "");
        if (!charts.containsKey(family)) {
            document.say("![" + load.title() + "](benchmarks/" + family + ".svg)\n");
        }
        charts.computeIfAbsent(family, name -> new BarChart())
                .panel(new BarChart.Panel(load.title(), "1 = " + one.title(), rows));
    }
}
