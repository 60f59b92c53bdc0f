package dev.pals.benchmarks.report;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Everything that is not a load: a table for each metric, a column for each kind of cost. */
final class CostTables {
    private static final List<Metric> OF_A_COST =
            List.of(Metric.CONNECTIONS, Metric.HEAP, Metric.CYCLE_TIME, Metric.ALLOCATED, Metric.NOTICED);

    private final Judged judged;
    private final Markdown document;

    CostTables(Judged judged, Markdown document) {
        this.judged = judged;
        this.document = document;
    }

    void write() {
        List<String> kinds = judged.costs();
        document.say("""

                ## Costs

                Measured one contender after the other, in this order. The spread of what JMH has measured is of the iterations in
                one JVM for each contender; another JVM may compile it in another way.

                Locks that are held were taken one with each request. Heap is that of the client JVMs alone, after a collection, with
                that of connections opened for it, for each lock or each thread that waits; what PostgreSQL or Redis keeps for it
                was not measured. Raw JDBC takes all of them with one statement on one connection and keeps nothing for each, so
                that there is nothing to weigh.

                A lost connection is noticed when the last of the locks' holders in all JVMs has been told. Where packets are dropped
                that takes half of orphanTime, which is 30 s by default. Of the others, none tells.

                What is allocated under loads is of all threads of the client JVMs, the few bytes of the measurement itself among
                it; that of virtual threads is not known.
                """);
        for (Metric metric : OF_A_COST) {
            table(metric.title(), metric, kinds);
        }
        document.say("\n");
        leftOut(kinds);
        growth();
    }

    /** Has a column for each cost of which there are figures. */
    private void table(String title, Metric metric, List<String> costs) {
        List<String> columns =
                costs.stream().filter(cost -> !nobody(cost, metric)).toList();
        if (columns.isEmpty()) {
            return;
        }
        document.say("\n### " + title + "\n\n");
        document.head(Stream.concat(Stream.of(""), columns.stream().map(CostTables::title))
                .toList());
        for (Contestant each : Contestant.values()) {
            if (columns.stream().anyMatch(column -> has(column, each, metric) || judged.failed(column, each))) {
                List<String> cells = new ArrayList<>(List.of(each.title()));
                columns.forEach(column -> cells.add(cell(column, each, metric)));
                document.row(cells);
            }
        }
    }

    private static String title(String cost) {
        return Loads.all().stream()
                .filter(load -> load.name().equals(cost))
                .map(Load::title)
                .findFirst()
                .orElse(cost);
    }

    private void leftOut(List<String> kinds) {
        Map<String, List<String>> byWhoAndWhy = new LinkedHashMap<>();
        judged.results().notes().stream()
                .filter(note -> kinds.contains(note.load()) && !note.failed())
                .forEach(note -> byWhoAndWhy
                        .computeIfAbsent(
                                Contestant.of(note.contender()).title() + " (" + note.text() + ")",
                                ignored -> new ArrayList<>())
                        .add(note.load()));
        byWhoAndWhy.forEach(
                (who, costs) -> document.say("Not measured: " + who + ": " + String.join("; ", costs) + ".\n\n"));
    }

    private boolean has(String kind, Contestant contestant, Metric metric) {
        return judged.spread(kind, contestant, metric).isPresent();
    }

    private boolean nobody(String kind, Metric metric) {
        return Arrays.stream(Contestant.values()).noneMatch(each -> has(kind, each, metric));
    }

    private String cell(String kind, Contestant contestant, Metric metric) {
        return judged.failed(kind, contestant)
                ? Markdown.FAILED
                : Markdown.withRange(judged.spread(kind, contestant, metric));
    }

    /** Of what is measured under loads: from 1 to 4 JVMs, and from 10 to 10,000 keys. */
    private void growth() {
        table(
                Metric.OPENING.title() + "; of several JVMs at once, the slowest",
                Metric.OPENING,
                List.of(Loads.HOT_8, Loads.HOT_8 + "-2jvms", Loads.HOT_8 + "-4jvms"));
        for (Metric metric : List.of(Metric.SERVER_CPU, Metric.CLIENT_CPU, Metric.STATEMENTS, Metric.ALLOCATED)) {
            table(metric.title() + ", by keys and JVMs", metric, Loads.BY_KEYS_AND_PROCESSES);
        }
    }
}
