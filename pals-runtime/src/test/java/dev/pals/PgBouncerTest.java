package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pals.PgBouncer.PoolMode;
import java.lang.module.ModuleDescriptor.Version;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.util.PSQLState;

/** Records what becomes of a session's locks behind PgBouncer, through plain JDBC: why lockers cannot go through it. */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PgBouncerTest {
    private static final String TRY_LOCK = "select pg_try_advisory_lock(7)";
    private static final String UNLOCK = "select pg_advisory_unlock(7)";
    private static final String SESSION = "select pg_backend_pid()";

    /** More than the driver needs to prepare a statement on the server. */
    private static final int EXECUTIONS = 10;

    private final TestDatabase database;

    PgBouncerTest(TestDatabase database) {
        this.database = database;
    }

    @AfterEach
    void noAdvisoryRowIsLeft() {
        database.awaitNoAdvisoryRow();
    }

    @Test
    void sessionMode_twoClients_oneHasTheLock() throws SQLException {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.SESSION, 2);
                Connection first = connect(bouncer);
                Connection second = connect(bouncer)) {
            assertThat(isTrue(first, TRY_LOCK)).isTrue();
            assertThat(isTrue(second, TRY_LOCK)).isFalse();
            assertThat(isTrue(first, UNLOCK)).isTrue();
        }
    }

    @Test
    void transactionMode_twoClients_bothHaveTheLock() throws SQLException {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.TRANSACTION, 1);
                Connection first = connect(bouncer);
                Connection second = connect(bouncer)) {
            assertThat(isTrue(first, TRY_LOCK)).isTrue();
            assertThat(isTrue(second, TRY_LOCK)).isTrue();
        }
    }

    @Test
    void transactionMode_clientThatEnds_leavesTheLockBehind() throws SQLException {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.TRANSACTION, 1);
                Connection direct = DriverManager.getConnection(database.url())) {
            try (Connection client = connect(bouncer)) {
                assertThat(isTrue(client, TRY_LOCK)).isTrue();
            }
            // Not before this client has been served is the end of the other one known to have been seen.
            connect(bouncer).close();
            assertThat(isTrue(direct, TRY_LOCK)).isFalse();
        }
    }

    @Test
    void transactionMode_unlock_mayComeToAnotherSession() throws SQLException {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.TRANSACTION, 2);
                Connection client = connect(bouncer);
                Connection busy = connect(bouncer)) {
            int session = number(client, SESSION);
            assertThat(isTrue(client, TRY_LOCK)).isTrue();
            busy.setAutoCommit(false);
            assertThat(number(busy, SESSION)).as("the session in use").isEqualTo(session);
            assertThat(isTrue(client, UNLOCK)).isFalse();
            busy.commit();
        }
    }

    @Test
    void transactionMode_driverThatPreparesNothing_works() throws SQLException {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.TRANSACTION, 1)) {
            executeAsTwoClients(bouncer.url());
        }
    }

    @Test
    void transactionMode_driverThatPrepares_meetsAnotherClientsStatements() {
        PgBouncer.assumeIsBefore(Version.parse("1.21"));
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.TRANSACTION, 1)) {
            assertThatThrownBy(() -> executeAsTwoClients(bouncer.preparingUrl()))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(e.getSQLState()).as(e.getMessage()).isEqualTo("42P05"));
        }
    }

    @Test
    void statementMode_transaction_isRefused() throws SQLException {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.STATEMENT, 1);
                Connection client = connect(bouncer)) {
            client.setAutoCommit(false);
            assertThatThrownBy(() -> number(client, SESSION))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(e.getSQLState())
                                    .as(e.getMessage())
                                    .isEqualTo(PSQLState.PROTOCOL_VIOLATION.getState()));
        }
    }

    private static Connection connect(PgBouncer bouncer) throws SQLException {
        return DriverManager.getConnection(bouncer.url());
    }

    private static void executeAsTwoClients(String url) throws SQLException {
        try (Connection first = DriverManager.getConnection(url);
                Connection second = DriverManager.getConnection(url);
                PreparedStatement ofFirst = first.prepareStatement("select 1");
                PreparedStatement ofSecond = second.prepareStatement("select 2")) {
            for (int i = 0; i < EXECUTIONS; i++) {
                ofFirst.executeQuery().close();
                ofSecond.executeQuery().close();
            }
        }
    }

    private static boolean isTrue(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getBoolean(1);
        }
    }

    private static int number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getInt(1);
        }
    }
}
