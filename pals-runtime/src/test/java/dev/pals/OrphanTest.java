package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pals.TestDatabase.AdvisoryRow;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLostException;
import dev.pals.lock.WaitPolicy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One end vanishes without a word: the other notices. */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class OrphanTest {
    private static final Logger LOG = LoggerFactory.getLogger(OrphanTest.class);
    private static final Duration ORPHAN_TIME = Duration.ofSeconds(4);

    private final TestDatabase database;

    OrphanTest(TestDatabase database) {
        this.database = database;
    }

    @AfterEach
    void noAdvisoryRowIsLeft() {
        database.awaitNoAdvisoryRow();
    }

    private static long millisSince(long start) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    }

    // ---- PostgreSQL vanishes ----

    @Test
    void server_silent_isNoticedByHoldersAndByWaiters() throws Exception {
        try (Locker other = Locker.create("orphan", database.url());
                SilentProxy proxy = new SilentProxy(database.url());
                Locker locker = Locker.builder("orphan")
                        .url(proxy.url())
                        .orphanTime(ORPHAN_TIME)
                        .build()) {
            LockKey byWaiting = locker.key("got-by-waiting");
            CompletableFuture<LockHandle> granted;
            try (LockHandle ignored = other.exclusive(byWaiting).acquire()) {
                granted = locker.exclusive(byWaiting).acquireAsync().toCompletableFuture();
                database.awaitWaiter(byWaiting);
            }
            LockHandle waited = granted.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            LockHandle atOnce = locker.exclusive(locker.key("got-at-once")).acquire();
            LockKey taken = locker.key("taken");
            try (LockHandle ignored = other.exclusive(taken).acquire()) {
                CompletableFuture<LockHandle> waiting = locker.exclusive(taken)
                        .waiting(WaitPolicy.forever())
                        .acquireAsync()
                        .toCompletableFuture();
                database.awaitWaiter(taken);
                assertNoticed(proxy, List.of(waited, atOnce), waiting);
            }
            // So that connections that are being made fail, too, and PostgreSQL hears of the end.
            proxy.close();
        }
    }

    private static void assertNoticed(
            SilentProxy proxy, List<LockHandle> handles, CompletableFuture<LockHandle> waiting) {
        long start = System.nanoTime();
        List<CompletableFuture<Long>> noticed = handles.stream()
                .map(handle -> {
                    CompletableFuture<Long> told = new CompletableFuture<>();
                    handle.onLost(loss -> told.complete(millisSince(start)));
                    return told;
                })
                .toList();
        CompletableFuture<Long> failed = waiting.handle((handle, failure) -> millisSince(start));

        proxy.silence();

        assertThat(noticed).allSatisfy(told -> assertThat(told).succeedsWithin(PATIENCE));
        assertThat(handles).noneMatch(LockHandle::isHeld);
        handles.forEach(handle -> assertThatThrownBy(handle::close)
                .isInstanceOf(LockLostException.class)
                .hasCauseInstanceOf(SQLException.class));
        assertThat(failed).as("the request that waits").succeedsWithin(PATIENCE);
        assertThat(waiting)
                .isCompletedExceptionally()
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .withCauseInstanceOf(LockDatabaseException.class);
        LOG.info(
                "With an orphan time of {}, a silent server was noticed by a holder that waited after {} ms, by one"
                        + " that did not after {} ms, by one that waits after {} ms",
                ORPHAN_TIME,
                noticed.get(0).join(),
                noticed.get(1).join(),
                failed.join());
    }

    /** The control: a network that is slow but not silent costs nobody a lock. */
    @Test
    void server_behindAProxy_keepsLocksForLongerThanTheOrphanTime() {
        try (SilentProxy proxy = new SilentProxy(database.url());
                Locker locker = Locker.builder("orphan")
                        .url(proxy.url())
                        .orphanTime(Duration.ofSeconds(2))
                        .build();
                LockHandle handle = locker.exclusive(locker.key("kept")).acquire()) {
            CompletableFuture<LockLostException> lost = new CompletableFuture<>();
            handle.onLost(lost::complete);
            LockSupport.parkNanos(Duration.ofMillis(2_500).toNanos());
            assertThat(lost).isNotDone();
            assertThat(handle.isHeld()).isTrue();
        }
    }

    // ---- a program vanishes ----

    @Test
    void program_killedWhileItHolds_freesItsLock() throws Exception {
        LockKey key = LockKey.of(HolderMain.APP, "killed");
        try (Locker locker = Locker.create(HolderMain.APP, database.url());
                OtherProgram program = OtherProgram.start(
                        HolderMain.class, database.url(), "killed", HolderMain.NO_LEASE, ORPHAN_TIME.toString())) {
            assertThat(program.next()).isEqualTo(HolderMain.HOLDING);
            assertThat(locker.exclusive(key).tryAcquire()).isEmpty();
            program.kill();
            locker.exclusive(key).acquire(PATIENCE).close();
        }
    }

    @Test
    void program_killedWhileItWaits_leavesPostgresqlsQueue() throws Exception {
        LockKey key = LockKey.of(HolderMain.APP, "queue");
        try (Locker locker = Locker.create(HolderMain.APP, database.url());
                LockHandle held = locker.exclusive(key).acquire();
                Connection plain = DriverManager.getConnection(database.url());
                Statement statement = plain.createStatement();
                OtherProgram program = OtherProgram.start(
                        HolderMain.class, database.url(), "queue", HolderMain.NO_LEASE, ORPHAN_TIME.toString())) {
            database.awaitWaiter(key);
            int pidOfProgram = waitersOf(key).get(0);
            // The control: what waits without the setting stays as a zombie.
            statement.execute("set client_connection_check_interval = 0");
            int pidOfPlain = plain.unwrap(PGConnection.class).getBackendPID();
            CompletableFuture<Void> zombie = CompletableFuture.runAsync(() -> wait(statement, key));
            await().atMost(PATIENCE).until(() -> waitersOf(key).size() == 2);

            plain.abort(Runnable::run);
            program.kill();
            long start = System.nanoTime();
            await().atMost(ORPHAN_TIME.multipliedBy(2))
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> !waitersOf(key).contains(pidOfProgram));
            LOG.info(
                    "With an orphan time of {}, a killed program that waited had left the queue after {} ms",
                    ORPHAN_TIME,
                    millisSince(start));
            assertThat(waitersOf(key)).containsExactly(pidOfPlain);
            assertThat(held.isHeld()).isTrue();
            assertThat(zombie).failsWithin(PATIENCE);
        }
    }

    private static void wait(Statement statement, LockKey key) {
        try {
            statement.execute("select pg_advisory_lock(" + key.lockHash() + ")");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<Integer> waitersOf(LockKey key) {
        return database.rowsOf(key).stream()
                .filter(row -> !row.granted())
                .map(AdvisoryRow::pid)
                .toList();
    }
}
