package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pals.db.server.ScratchDatabase;
import dev.pals.key.GeneratedLocks;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockerClosedException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether a lock is held, whoever holds it. */
final class IsLockedTest extends LockerFixture {
    private static final String APP = "is-locked";
    private static final LockKey KEY = LockKey.of(APP, "asked-for");

    IsLockedTest(TestDatabase database) {
        super(database, APP);
    }

    // ---- who holds it ----

    @Test
    void isLocked_exclusiveHolderOfThisLocker_isTrueUntilTheRelease() {
        Locker locker = locker();
        assertThat(locker.isLocked(KEY)).isFalse();
        try (LockHandle ignored = locker.exclusive(KEY).acquire()) {
            assertThat(locker.isLocked(KEY)).isTrue();
            assertThat(locker.isLocked(LockKey.of(APP, "another"))).isFalse();
        }
        assertThat(locker.isLocked(KEY)).isFalse();
    }

    @Test
    void isLocked_sharedHolders_isTrueUntilTheLastRelease() {
        Locker locker = locker();
        LockHandle first = locker.shared(KEY).acquire();
        LockHandle second = locker().shared(KEY).acquire();
        assertThat(locker.isLocked(KEY)).isTrue();
        first.close();
        assertThat(locker.isLocked(KEY)).isTrue();
        second.close();
        assertThat(locker.isLocked(KEY)).isFalse();
    }

    @Test
    void isLocked_holderIsAnotherLocker_isTrue() {
        Locker locker = locker();
        try (LockHandle ignored = locker().exclusive(KEY).acquire()) {
            assertThat(locker.isLocked(KEY)).isTrue();
        }
        assertThat(locker.isLocked(KEY)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_xact_lock"})
    void isLocked_holderIsAnotherProgram_isTrueWhileItHolds(String function) throws SQLException {
        Locker locker = locker();
        try (Connection program = DriverManager.getConnection(database.url())) {
            program.setAutoCommit(false);
            execute(program, "select " + function + "(" + KEY.lockHash() + ")");
            assertThat(locker.isLocked(KEY)).isTrue();
        }
        await().atMost(PATIENCE).until(() -> !locker.isLocked(KEY));
    }

    @Test
    void isLocked_holdersSessionWasTerminated_isFalse() {
        Locker locker = locker();
        LockHandle lost = locker.exclusive(KEY).acquire();
        assertThat(locker.isLocked(KEY)).isTrue();
        database.terminateHolder(KEY);
        await().atMost(PATIENCE).until(() -> !lost.isHeld());
        assertThat(locker.isLocked(KEY)).isFalse();
    }

    // ---- who does not ----

    @Test
    void isLocked_holderInAnotherDatabaseOfTheServer_isFalse() throws SQLException {
        Locker locker = locker();
        try (ScratchDatabase other = database.emptyDatabase();
                Connection program = DriverManager.getConnection(other.url());
                Locker there = Locker.create(APP, other.url())) {
            execute(program, "select pg_advisory_lock(" + KEY.lockHash() + ")");
            assertThat(there.isLocked(KEY)).isTrue();
            assertThat(locker.isLocked(KEY)).isFalse();
        }
    }

    @Test
    void isLocked_waiterHasGivenUp_isTrueForTheHolderAndFalseAfterIt() {
        Locker locker = locker();
        Locker waiting = locker();
        try (LockHandle ignored = locker.exclusive(KEY).acquire()) {
            assertThat(waiting.exclusive(KEY).tryAcquire(Duration.ofMillis(50))).isEmpty();
            assertThat(locker.isLocked(KEY)).isTrue();
        }
        assertThat(locker.isLocked(KEY)).isFalse();
    }

    /** Who waits for one lock does not hold another; those of the same request that it has, it does. */
    @Test
    void isLocked_requestWaitsForOneOfTwoKeys_isTrueForTheHeldOneAndFalseForTheOneBehind() {
        LockKey first = key(-7);
        LockKey second = key(7);
        LockKey third = key(8);
        Locker locker = locker();
        Future<Optional<LockHandle>> waiter;
        try (LockHandle ignored = locker.exclusive(second).acquire()) {
            Locker waiting = locker();
            waiter = inBackground(() -> waiting.exclusive(first, second, third).tryAcquire(PATIENCE));
            database.awaitWaiter(second);
            assertThat(locker.isLocked(first)).isTrue();
            assertThat(locker.isLocked(second)).isTrue();
            assertThat(locker.isLocked(third)).isFalse();
        }
        assertThat(waiter)
                .succeedsWithin(PATIENCE)
                .satisfies(handle -> assertThat(handle).hasValueSatisfying(LockHandle::close));
    }

    // ---- which numbers ----

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 0xFFFF_FFFFL, 0x1_0000_0000L, -0x1_0000_0000L, Long.MIN_VALUE, Long.MAX_VALUE})
    void isLocked_anyNumber_isTrueWhileHeldAndForNoOther(long hash) {
        Locker locker = locker();
        assertThat(locker.isLocked(key(hash))).isFalse();
        try (LockHandle ignored = locker.exclusive(key(hash)).acquire()) {
            assertThat(locker.isLocked(key(hash))).isTrue();
            assertThat(locker.isLocked(key(~hash))).isFalse();
            assertThat(locker.isLocked(key(Long.rotateLeft(hash, 32) + 3))).isFalse();
        }
        assertThat(locker.isLocked(key(hash))).isFalse();
    }

    /** PostgreSQL's second key space: the same bits, another lock. */
    @ParameterizedTest
    @ValueSource(longs = {0, -1, 0x0000_0007_0000_0009L, Long.MIN_VALUE})
    void isLocked_twoIntegersOfTheSameBitsAreHeld_isFalse(long hash) throws SQLException {
        Locker locker = locker();
        int high = (int) (hash >> 32);
        int low = (int) hash;
        try (Connection program = DriverManager.getConnection(database.url())) {
            execute(program, "select pg_advisory_lock(" + high + ", " + low + ")");
            assertThat(database.isHeld(key(hash)))
                    .as("in pg_locks the bits are the same")
                    .isTrue();
            assertThat(locker.isLocked(key(hash))).isFalse();
            execute(program, "select pg_advisory_lock(" + hash + ")");
            assertThat(locker.isLocked(key(hash))).isTrue();
        }
    }

    @Test
    void isLocked_renamedKey_tellsOfTheKeyItself() {
        Locker locker = locker();
        LockKey former = RenamedLocks.INVOICE_CLOSE.formerly().orElseThrow();
        try (LockHandle ignored = locker.exclusive(RenamedLocks.INVOICE_CLOSE).acquire()) {
            assertThat(locker.isLocked(RenamedLocks.INVOICE_CLOSE)).isTrue();
            assertThat(locker.isLocked(former)).isTrue();
        }
        assertThat(locker.isLocked(RenamedLocks.INVOICE_CLOSE)).isFalse();
        assertThat(locker.isLocked(former)).isFalse();
    }

    // ---- the locker ----

    @Test
    void isLocked_allConnectionsHold_stillAnswers() {
        Locker locker = opened(builder().sessions(1).maxSessions(1));
        try (LockHandle ignored = locker.exclusive(KEY).acquire()) {
            assertThat(locker.isLocked(KEY)).isTrue();
        }
    }

    @Test
    void isLocked_lockerIsClosed_throws() {
        Locker locker = locker();
        locker.close();
        assertThatThrownBy(() -> locker.isLocked(KEY))
                .isInstanceOf(LockerClosedException.class)
                .hasMessageContaining(APP);
    }

    private static LockKey key(long hash) {
        return new GeneratedLocks(APP, 1).key("NUMBER", "number " + hash, hash);
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
