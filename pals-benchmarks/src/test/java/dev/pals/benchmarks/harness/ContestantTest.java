package dev.pals.benchmarks.harness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pals.benchmarks.contender.Contender;
import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Contestant.Ability;
import dev.pals.benchmarks.contender.Locks;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each contender locks, on real servers. That the counts tell of one that does not is in {@link ThreadsTest}. */
class ContestantTest extends WithArena {
    private static final long WARM_MILLIS = 50;
    private static final long MILLIS = 100;

    private static final int HELD = 50;

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

    @Test
    void hold_rawJdbc_isOnTheConnectionThatIsMeasured() throws Exception {
        try (Contender contender = Contestant.RAW.open(arena.place(HELD));
                Locks locks = contender.locks()) {
            contender.hold(10, HELD);
            assertThat(locks.tryLocked(
                            1,
                            () -> assertThat(holders())
                                    .singleElement()
                                    .isEqualTo(HELD + 1))) // the one that is measured is beside them
                    .isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void hold_contenderHasLocksToHold_elseIsLeftOutByName(Contestant contestant) throws Exception {
        if (!LockCosts.refusal(contestant, HELD).isEmpty()) {
            assertThat(contestant)
                    .isIn(Contestant.RAW_POOLED, Contestant.JOOQ, Contestant.PALS_TRANSACTION, Contestant.JDK);
            return;
        }
        assumeTrue(arena.refusal(contestant, Loads.of(Loads.OWN_1)).isEmpty());
        arena.clean();
        try (Contender contender = contestant.open(arena.place(HELD))) {
            contender.hold(10, HELD);
            // Nobody has a key of theirs twice.
            try (Contender other = contestant.open(arena.place(HELD));
                    Locks locks = other.locks()) {
                assertThat(locks.tryLocked(10 + HELD - 1, () -> {})).isFalse();
                assertThat(locks.tryLocked(10 + HELD, () -> {})).isTrue();
            }
        }
    }

    /** How many advisory locks each connection has. */
    private List<Integer> holders() throws SQLException {
        List<Integer> counts = new ArrayList<>();
        try (Connection connection = DriverManager.getConnection(arena.url());
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select count(*) from pg_locks where locktype = 'advisory'"
                        + " and database = (select oid from pg_database where datname = current_database())"
                        + " group by pid")) {
            while (rows.next()) {
                counts.add(rows.getInt(1));
            }
        }
        return counts;
    }
}
