package dev.pals.benchmarks.harness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pals.benchmarks.contender.Contender;
import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Locks;
import dev.pals.benchmarks.load.Keys;
import dev.pals.benchmarks.load.Load;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a contender leaves that has not come to its end is not in the way of the next turn. */
class ArenaTest extends WithArena {
    private static final int KEY = 7;

    @ParameterizedTest
    @EnumSource(names = {"RAW", "SHEDLOCK_JDBC", "REDISSON", "PALS_2"})
    void clean_aLockWasLeft_isFree(Contestant contestant) throws Exception {
        assumeTrue(!contestant.needsRedis() || arena.place(0).redis() != null, "redis-server is not installed");
        Load none = new Load("none", "none", 1, 0, Keys.OWN, Load.Act.TRY, 0, 0, false);
        try (Crew crew = new Crew(Path.of(System.getProperty("java.home")), List.of(), arena.counters());
                // Closed at the end only, since Redisson's forgets all keys then.
                Contender before = contestant.open(arena.place(0))) {
            crew.open(contestant, none, arena.place(0));
            crew.all(1, process -> new Command.Hold(KEY, 1));
            assertThat(isFree(before)).isFalse();
            arena.clean();
            try (Contender after = contestant.open(arena.place(0))) {
                assertThat(isFree(after)).isTrue();
            }
        }
    }

    private static boolean isFree(Contender contender) throws Exception {
        try (Locks locks = contender.locks()) {
            return locks.tryLocked(KEY, () -> {});
        }
    }
}
