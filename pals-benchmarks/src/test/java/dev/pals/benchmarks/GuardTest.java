package dev.pals.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import dev.pals.benchmarks.report.Bar;
import dev.pals.benchmarks.report.Costs;
import dev.pals.benchmarks.report.Figure;
import dev.pals.benchmarks.report.Metric;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The guard's verdict on given figures. */
class GuardTest {
    private static final double RAW_RATE = 1_000;
    private static final double A_BIT = 1.001;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final List<Collection<Bar>> asked = new ArrayList<>();

    private Guard guard(double strictness) {
        return new Guard(strictness, new PrintStream(said, true, StandardCharsets.UTF_8));
    }

    @Test
    void holds_everyMedianIsAtItsBar_isTrueAfterOneAttempt() throws Exception {
        assertThat(guard(1).holds((bars, attempt) -> asked(bars, allAtTheirBars())))
                .isTrue();
        assertThat(asked).containsExactly(List.of(Bar.values()));
        assertThat(said()).doesNotContain("FAILS");
    }

    @Test
    void holds_barsAreSetHigher_isFalse() throws Exception {
        assertThat(guard(1.1).holds((bars, attempt) -> asked(bars, allAtTheirBars())))
                .isFalse();
        assertThat(asked).hasSize(Guard.ATTEMPTS);
        assertThat(said()).contains("FAILED in 3 attempts: " + Bar.BATCHED.title());
    }

    @Test
    void holds_oneMedianIsBelow_measuresThatOneAgainAndFails() throws Exception {
        Results slow = allAtTheirBars();
        // Three of five rounds, so that the median falls and the best does not.
        for (int round = 1; round <= 3; round++) {
            rate(slow, round, Loads.OWN_64, Contestant.PALS_4, RAW_RATE * Bar.BATCHED.guarded() * 0.99);
        }
        assertThat(guard(1).holds((bars, attempt) -> asked(bars, slow))).isFalse();
        assertThat(asked).containsExactly(List.of(Bar.values()), List.of(Bar.BATCHED), List.of(Bar.BATCHED));
    }

    @ParameterizedTest
    @EnumSource(names = {"MANY_HELD", "MANY_WAIT"})
    void holds_oneConnectionMore_isFalse(Bar bar) throws Exception {
        Results results = allAtTheirBars();
        String cost = bar == Bar.MANY_HELD ? Costs.MANY_HELD : Costs.MANY_WAIT;
        figure(results, 1, cost, Metric.CONNECTIONS, bar.guarded() + 1);
        assertThat(guard(1).holds((bars, attempt) -> asked(bars, results))).isFalse();
        assertThat(asked).containsExactly(List.of(Bar.values()), List.of(bar), List.of(bar));
    }

    @Test
    void holds_oneOfTwoJvmsHasHardlyATurn_isFalse() throws Exception {
        Results results = allAtTheirBars();
        for (int round = 1; round <= 3; round++) {
            figure(results, round, Loads.HOT_8_IN_TWO, Metric.LEAST_SHARE, Bar.SHARE.guarded() - 1);
        }
        assertThat(guard(1).holds((bars, attempt) -> asked(bars, results))).isFalse();
        assertThat(said()).contains("FAILED in 3 attempts: " + Bar.SHARE.title());
    }

    @Test
    void holds_noiseInOneAttempt_isTrue() throws Exception {
        assertThat(guard(1).holds((bars, attempt) -> asked(bars, attempt == 1 ? new Results() : allAtTheirBars())))
                .isTrue();
        assertThat(asked).hasSize(2);
    }

    @Test
    void holds_nothingWasMeasured_isFalse() throws Exception {
        assertThat(guard(1).holds((bars, attempt) -> asked(bars, new Results())))
                .isFalse();
        assertThat(said()).contains("not measured");
    }

    @Test
    void holds_floorStoodStill_isFalse() throws Exception {
        Results results = allAtTheirBars();
        for (int round = 1; round <= 5; round++) {
            rate(results, round, Loads.OWN_64, Contestant.RAW, 0);
        }
        assertThat(guard(1).holds((bars, attempt) -> asked(bars, results))).isFalse();
        assertThat(said()).contains("not measured");
    }

    @Test
    void holds_contenderHasFailedAfterSomeRounds_isFalse() throws Exception {
        Results results = allAtTheirBars();
        results.add(new Note(Loads.OWN_64, Contestant.PALS_4.id(), "two threads had the same lock", true));
        assertThat(guard(1).holds((bars, attempt) -> asked(bars, results))).isFalse();
    }

    @Test
    void contestants_ofEveryBar_arePartOfItsLoads() {
        for (Bar bar : Bar.values()) {
            List<Load> loads = Guard.loads(List.of(bar));
            assertThat(loads.size() + Guard.costs(List.of(bar)).size()).isPositive();
            for (Load load : loads) {
                assertThat(Guard.contestants(List.of(bar), load))
                        .isNotEmpty()
                        .allSatisfy(each -> assertThat(load.refusal(each, 280)).isEmpty());
            }
        }
    }

    private Results asked(Collection<Bar> bars, Results results) {
        asked.add(List.copyOf(bars));
        return results;
    }

    private String said() {
        return said.toString(StandardCharsets.UTF_8);
    }

    /** Rates of five rounds that make each bar's ratio what the guard demands, and a bit. */
    private static Results allAtTheirBars() {
        double alone = RAW_RATE * Bar.ONE_THREAD.guarded() * A_BIT;
        double handedOff = RAW_RATE * Bar.HANDED_OFF.guarded() * A_BIT;
        Results results = new Results();
        for (int round = 1; round <= 5; round++) {
            rate(results, round, Loads.OWN_1, Contestant.RAW, RAW_RATE);
            rate(results, round, Loads.OWN_1, Contestant.PALS_2, alone);
            rate(results, round, Loads.BESIDE, Contestant.PALS_2, alone * Bar.BESIDE.guarded() * A_BIT);
            rate(results, round, Loads.OWN_64, Contestant.RAW, RAW_RATE);
            rate(results, round, Loads.OWN_64, Contestant.PALS_4, RAW_RATE * Bar.BATCHED.guarded() * A_BIT);
            rate(results, round, Loads.HOT_8, Contestant.RAW, RAW_RATE);
            rate(results, round, Loads.HOT_8, Contestant.PALS_2, handedOff);
            rate(results, round, Loads.HOT_8, Contestant.JDK, handedOff / (Bar.FAIR.guarded() * A_BIT));
            rate(results, round, Loads.TRANSACTIONS, Contestant.RAW, RAW_RATE);
            rate(
                    results,
                    round,
                    Loads.TRANSACTIONS,
                    Contestant.PALS_TRANSACTION,
                    RAW_RATE * Bar.TRANSACTION.guarded() * A_BIT);
            figure(results, round, Loads.HOT_8_IN_TWO, Metric.LEAST_SHARE, Bar.SHARE.guarded());
        }
        figure(results, 1, Costs.MANY_HELD, Metric.CONNECTIONS, Bar.MANY_HELD.guarded());
        figure(results, 1, Costs.MANY_WAIT, Metric.CONNECTIONS, Bar.MANY_WAIT.guarded());
        return results;
    }

    private static void figure(Results results, int round, String load, Metric metric, double value) {
        results.add(new Figure(load, Contestant.PALS_2.id(), metric, round, value));
    }

    private static void rate(Results results, int round, String load, Contestant contestant, double rate) {
        results.add(new Figure(load, contestant.id(), Metric.RATE, round, rate));
    }
}
