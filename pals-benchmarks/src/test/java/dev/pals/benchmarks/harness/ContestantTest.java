package dev.pals.benchmarks.harness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pals.benchmarks.contender.Contender;
import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Contestant.Ability;
import dev.pals.benchmarks.contender.Locks;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each contender locks, on real servers. That the counts tell of one that does not is in {@link ThreadsTest}. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ContestantTest {
    private static final long WARM_MILLIS = 50;
    private static final long MILLIS = 100;

    private Arena arena;

    @BeforeAll
    void open() throws Exception {
        arena = Arena.open(false);
    }

    @AfterAll
    void close() throws Exception {
        arena.close();
    }

    @ParameterizedTest
    @EnumSource
    void run_threadsWantOneKey_noCountIsLost(Contestant contestant) throws Exception {
        Load load = Loads.of(contestant.can(Set.of(Ability.WAIT)) ? Loads.HOT_8 : "own-8");
        String refusal = arena.refusal(contestant, load);
        assumeTrue(refusal.isEmpty(), refusal);
        arena.clean();
        arena.counters().reset();
        List<Locks> locks = new ArrayList<>();
        try (Contender contender = contestant.open(arena.place(0))) {
            for (int thread = 0; thread < load.threads(); thread++) {
                locks.add(contender.locks());
            }
            Answer.Ran ran = new Threads(load, 0, locks, arena.counters()).run(WARM_MILLIS, MILLIS);
            for (Locks each : locks) {
                each.close();
            }
            assertThat(ran.allCycles()).isPositive();
            assertThat(ran.sections()).isEqualTo(ran.allCycles());
            arena.counters().check(ran.sections());
        }
    }
}
