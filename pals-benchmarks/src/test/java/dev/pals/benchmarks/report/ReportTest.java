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
    void of_peerIsFaster_saysWhereTheDefaultIsBehindWithItsSpread() {
        Results results = figures();
        rates(results, Contestant.PALS_2, 500, 4_000, 1_000);
        assertThat(document(results))
                .contains(
                        "| 64 threads, each its own key | 0.50 (0.50–4.00) | Redisson RLock, Redis | 0.13 (0.06–0.67) |")
                .contains(
                        "- 64 threads, each its own key: PALs, 2 sessions makes 0.50 (0.50–4.00) of raw JDBC, held connections.")
                .contains(
                        "- 64 threads, each its own key: PALs, 2 sessions makes 0.13 (0.06–0.67) of Redisson RLock, Redis.");
    }

    @Test
    void of_defaultIsNotMeasured_picksNoOtherVariant() {
        assertThat(document(figures())).contains("In nothing that was measured.");
    }

    @Test
    void of_lockedTransactions_comparesTheTransactionScope() {
        Results results = new Results();
        for (int round = 1; round <= 2; round++) {
            results.add(new Figure(Loads.TRANSACTIONS, Contestant.RAW.id(), Metric.RATE, round, 1_000));
            results.add(new Figure(Loads.TRANSACTIONS, Contestant.PALS_2.id(), Metric.RATE, round, 3_000));
            results.add(new Figure(Loads.TRANSACTIONS, Contestant.PALS_TRANSACTION.id(), Metric.RATE, round, 400));
        }
        assertThat(document(results)).contains("PALs, transaction scope makes 0.40 of raw JDBC, held connections.");
    }

    @Test
    void of_fastestPeerHasFailed_isNowhereButNamedAsFailed() {
        Results results = figures();
        rates(results, Contestant.PALS_2, 1_000, 1_000, 1_000);
        rates(results, Contestant.JOOQ, 2_000, 2_000, 2_000);
        results.add(new Note(Loads.OWN_64, Contestant.REDISSON.id(), "two threads had the same lock", true));
        String text = document(results);
        assertThat(text)
                .contains("| jOOQ per call, HikariCP | 0.50 |")
                .contains("| Redisson RLock, Redis | failed | – | – |")
                .contains("- `own-64`, Redisson RLock, Redis: two threads had the same lock");
        assertThat(text.split("Redisson", -1)).hasSize(3);
        assertThat(Report.of(results, true).get("benchmarks/own.svg")).doesNotContain("Redisson");
    }

    @Test
    void of_oursHasFailed_saysSoInBarAndComparison() {
        Results results = figures();
        results.add(new Note(Loads.OWN_64, Contestant.PALS_4.id(), "two threads had the same lock", true));
        results.add(new Note(Loads.OWN_64, Contestant.PALS_2.id(), "two threads had the same lock", true));
        assertThat(document(results))
                .contains(
                        "64 threads, each its own key, on 4 sessions / raw JDBC on 64 connections | at least 5.00 | failed | no |")
                .contains("| 64 threads, each its own key | failed | – | failed |")
                .contains("- 64 threads, each its own key: PALs, 2 sessions has failed.")
                .doesNotContain("| PALs, 4 sessions | 3,000");
    }

    @Test
    void of_costHasFailed_hasNoFigureOfIt() {
        Results results = new Results();
        results.add(new Figure("10 locks held", Contestant.PALS_2.id(), Metric.CONNECTIONS, 1, 2));
        results.add(new Figure("10 locks held", Contestant.SPRING.id(), Metric.CONNECTIONS, 1, 1));
        results.add(new Note("10 locks held", Contestant.SPRING.id(), "it ended", true));
        assertThat(document(results)).contains("""
                | Spring Integration JdbcLockRegistry | failed |
                | PALs, 2 sessions | 2.00 |
                """);
    }

    @Test
    void of_peerTakesLess_saysWhereTheDefaultCostsMore() {
        Results results = new Results();
        results.add(new Figure("10 locks held", Contestant.PALS_2.id(), Metric.HEAP, 1, 900));
        results.add(new Figure("10 locks held", Contestant.SPRING.id(), Metric.HEAP, 1, 1_200));
        results.add(new Figure("10 locks held", Contestant.REDISSON.id(), Metric.HEAP, 1, 600));
        results.add(new Figure("10 locks held", Contestant.SHEDLOCK_JDBC.id(), Metric.HEAP, 1, -5));
        assertThat(document(results))
                .contains("| 10 locks held: heap of the clients, bytes each | – | Redisson RLock, Redis | 1.50 |")
                .contains(
                        "- 10 locks held: heap of the clients, bytes each: PALs, 2 sessions takes 1.50 times what Redisson")
                .doesNotContain("of Spring");
    }

    @Test
    void of_someoneIsLeftOutOfSeveralCosts_saysSoOnce() {
        Results results = new Results();
        results.add(new Note("10 locks held", Contestant.JOOQ.id(), "holds none", false));
        results.add(new Note("20 locks held", Contestant.JOOQ.id(), "holds none", false));
        assertThat(document(results))
                .contains("Not measured: jOOQ per call, HikariCP (holds none): 10 locks held; 20 locks held.");
    }

    @Test
    void of_loadsWithFewAndManyKeys_hasTheirGrowthUnderCosts() {
        Results results = new Results();
        results.add(new Figure("ten-64", Contestant.PALS_2.id(), Metric.ALLOCATED, 1, 400));
        results.add(new Figure("tenthousand-64-4jvms", Contestant.PALS_2.id(), Metric.ALLOCATED, 1, 500));
        assertThat(document(results)).contains("""
                ### allocated, bytes/cycle, by keys and JVMs

                |  | 64 threads, 10 keys | 64 threads in 4 JVMs, 10,000 keys |
                |---|---|---|
                | PALs, 2 sessions | 400 | 500 |
                """);
    }

    @Test
    void of_nobodyHasPartInALoad_saysSo() {
        Results results = new Results();
        results.add(new Note("virtual-own-1000", Contestant.PALS_2.id(), "virtual threads need a JDK 21", false));
        assertThat(document(results))
                .contains("### 1,000 virtual threads, each its own key")
                .contains("Not measured: PALs, 2 sessions (virtual threads need a JDK 21).");
    }

    @Test
    void of_locksAreHeldBeside_comparesWithRawJdbcThatHoldsNone() {
        Results results = new Results();
        for (int round = 1; round <= 2; round++) {
            results.add(new Figure(Loads.OWN_1, Contestant.RAW.id(), Metric.RATE, round, 1_000));
            results.add(new Figure(Loads.BESIDE, Contestant.RAW.id(), Metric.RATE, round, 100));
            results.add(new Figure(Loads.BESIDE, Contestant.PALS_2.id(), Metric.RATE, round, 800));
        }
        assertThat(document(results)).contains("""
                |  | / raw JDBC, 1 thread, its own key |
                |---|---|
                | raw JDBC, held connections | 0.10 |
                | PALs, 2 sessions | 0.80 |
                """);
    }

    @Test
    void of_findingsAreThere_linksThem() {
        assertThat(document(figures())).contains("[findings.md](benchmarks/findings.md)");
        assertThat(Report.of(figures(), false).getOrDefault("benchmarks.md", ""))
                .doesNotContain("findings.md");
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
        rates(results, Contestant.RAW, 1_000, 1_000, 2_000);
        rates(results, Contestant.PALS_4, 2_000, 3_000, 8_000);
        rates(results, Contestant.REDISSON, 4_000, 6_000, 16_000);
        return results;
    }

    /** Of 64 threads with keys of their own, in one round after the other. */
    private static void rates(Results results, Contestant contestant, double... rates) {
        for (int round = 1; round <= rates.length; round++) {
            results.add(new Figure(Loads.OWN_64, contestant.id(), Metric.RATE, round, rates[round - 1]));
        }
    }
}
