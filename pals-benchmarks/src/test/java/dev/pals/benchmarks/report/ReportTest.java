package dev.pals.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Loads;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The document made of given figures. */
class ReportTest {
    @Test
    void of_someFigures_hasRatiosOfTheSameRounds() {
        String text = document(figures());
        // 2,000 / 1,000, 3,000 / 1,000 and 8,000 / 2,000: not the ratio of the medians.
        assertThat(text).contains("| PALs, 4 sessions | 3,000 | 3.00 (2.00–4.00) |");
        assertThat(text)
                .contains("64 threads, each its own key, on 4 sessions / raw JDBC on 64 connections | at least 5.00 |"
                        + " 3.00 (2.00–4.00) | no |");
    }

    @Test
    void of_peerIsFaster_saysWhereWeAreBehind() {
        assertThat(document(figures()))
                .contains("- 64 threads, each its own key: PALs, 4 sessions makes 0.50 of Redisson RLock");
    }

    @Test
    void of_someoneIsLeftOutOrFails_saysSoByName() {
        Results results = figures();
        results.add(new Note(Loads.OWN_64, Contestant.SPRING.id(), "is not there", false));
        results.add(new Note(Loads.OWN_64, Contestant.JOOQ.id(), "two threads had the same lock", true));
        assertThat(document(results))
                .contains("Not measured: Spring Integration JdbcLockRegistry (is not there)")
                .contains("## Failed")
                .contains("- `own-64`, jOOQ per call, HikariCP: two threads had the same lock");
    }

    @Test
    void of_anyFigures_picturesAreXmlAndNamedInTheText() throws Exception {
        Map<String, String> files = Report.of(figures(), true);
        assertThat(files).containsOnlyKeys("benchmarks/own.svg", "benchmarks.md");
        assertThat(document(figures())).contains("(benchmarks/own.svg)");
        String svg = files.getOrDefault("benchmarks/own.svg", "");
        var root = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)))
                .getDocumentElement();
        assertThat(root.getTagName()).isEqualTo("svg");
        assertThat(root.getTextContent()).contains("PALs, 4 sessions").contains("3.00 (2.00–4.00)");
    }

    @Test
    void of_resultsReadFromAFile_isTheSame(@TempDir Path directory) throws Exception {
        Results results = figures();
        results.setting("machine", "two, \"noisy\" processors");
        results.add(new Note(Loads.OWN_64, Contestant.JOOQ.id(), "it went wrong,\nbadly", true));
        Path file = directory.resolve("results.csv");
        results.write(file);
        assertThat(Report.of(Results.read(file), true)).isEqualTo(Report.of(results, true));
    }

    @Test
    void of_costs_hasAColumnForEachKind() {
        Results results = new Results();
        results.add(new Figure("10 locks held", Contestant.PALS_2.id(), Metric.CONNECTIONS, 1, 2));
        results.add(new Figure("10 locks held", Contestant.RAW.id(), Metric.CONNECTIONS, 1, 1));
        results.add(new Figure("9 threads wait", Contestant.PALS_2.id(), Metric.CONNECTIONS, 1, 3));
        results.add(new Figure("9 threads wait", Contestant.PALS_2.id(), Metric.CONNECTIONS, 2, 4));
        assertThat(document(results)).contains("""
                ### connections

                |  | 10 locks held | 9 threads wait |
                |---|---|---|
                | raw JDBC, held connections | 1.00 | – |
                | PALs, 2 sessions | 2.00 | 3.50 (3.00–4.00) |
                """);
    }

    @Test
    void add_resultsOfAnotherRun_keepsBothSettings() {
        Results results = figures();
        results.setting("rounds", "5");
        Results others = new Results();
        others.setting("rounds", "7");
        results.add(others);
        assertThat(document(results)).contains("| rounds | 5; 7 |");
    }

    private static String document(Results results) {
        return Report.of(results, true).getOrDefault("benchmarks.md", "");
    }

    private static Results figures() {
        Results results = new Results();
        double[][] rates = {{1_000, 2_000}, {1_000, 3_000}, {2_000, 8_000}};
        for (int round = 1; round <= rates.length; round++) {
            double[] own = rates[round - 1];
            results.add(new Figure(Loads.OWN_64, Contestant.RAW.id(), Metric.RATE, round, own[0]));
            results.add(new Figure(Loads.OWN_64, Contestant.PALS_4.id(), Metric.RATE, round, own[1]));
            results.add(new Figure(Loads.OWN_64, Contestant.REDISSON.id(), Metric.RATE, round, 2 * own[1]));
        }
        return results;
    }
}
