package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Records how the server behaves, through plain JDBC: why PALs does what it does. */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PostgresBehaviourTest {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresBehaviourTest.class);
    private static final int ROUNDS = 500;
    private static final long TIMEOUT_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long SPREAD_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final TestDatabase database;

    PostgresBehaviourTest(TestDatabase database) {
        this.database = database;
    }

    @Test
    void lockTimeout_raisedNearARelease_mayLeaveTheLockGranted() throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        int timeouts = 0;
        int granted = 0;
        try (Connection holder = DriverManager.getConnection(database.url());
                Connection waiter = DriverManager.getConnection(database.url())) {
            execute(waiter, "set lock_timeout = '5ms'");
            for (int round = 0; round < ROUNDS; round++) {
                execute(holder, "select pg_advisory_lock(1)");
                long release =
                        System.nanoTime() + TIMEOUT_NANOS - SPREAD_NANOS + 2 * SPREAD_NANOS * round / (ROUNDS - 1);
                Future<Boolean> timedOut = thread.submit(() -> timesOut(waiter));
                for (long rest = release - System.nanoTime(); rest > 0; rest = release - System.nanoTime()) {
                    LockSupport.parkNanos(rest);
                }
                execute(holder, "select pg_advisory_unlock(1)");
                if (timedOut.get()) {
                    timeouts++;
                    granted += locksOf(waiter);
                }
                execute(waiter, "select pg_advisory_unlock_all()");
                assertThat(locksOf(waiter)).isZero();
            }
        } finally {
            thread.shutdownNow();
        }
        LOG.info("{} rounds: {} timeouts (55P03), of which {} had been granted the lock", ROUNDS, timeouts, granted);
        database.awaitNoAdvisoryRow();
    }

    private static boolean timesOut(Connection connection) throws SQLException {
        try {
            execute(connection, "select pg_advisory_lock(1)");
            return false;
        } catch (SQLException e) {
            assertThat(e.getSQLState()).isEqualTo("55P03");
            return true;
        }
    }

    private static int locksOf(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("select count(*) from pg_locks"
                        + " where locktype = 'advisory' and granted and pid = pg_backend_pid()")) {
            result.next();
            return result.getInt(1);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
