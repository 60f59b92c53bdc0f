package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pals.PgBouncer.PoolMode;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.diagnostics.ServerProbe;
import dev.pals.diagnostics.ServerProbe.Findings;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.UnsafeServerException;
import dev.pals.lock.UnsafeServerException.Reason;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Servers and connections through which locks would not exclude are refused, by trying them. */
final class ServerProbeTest extends LockerFixture {
    private final ServerProbe probe = new ServerProbe("The test");

    ServerProbeTest(TestDatabase database) {
        super(database, "probe");
    }

    @Test
    void probe_twoSessionsOfAPrimary_findsNothingAndLeavesNothing() throws SQLException {
        try (Connection first = connect(database.url());
                Connection second = connect(database.url())) {
            Findings findings = probe.probe(first, second);

            assertThat(findings.exclusionTried()).isTrue();
            assertThat(findings.warnings()).isEmpty();
            assertThat(findings.lockTableSize()).isPositive();
            assertThat(database.advisoryRows()).isEmpty();
        }
    }

    @Test
    void probe_ofALocker_takesThreeStatements() {
        List<String> statements = new ArrayList<>();
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(database.url());
        opened(Locker.builder("probe").dataSource(TracedDataSource.of(dataSource, statements::add)));

        assertThat(statements.stream().filter(sql -> sql.contains("pg_backend_pid")))
                .hasSize(3);
    }

    @Test
    void probe_twoConnectionsOfOneSession_areRefused() throws SQLException {
        try (Connection only = connect(database.url())) {
            assertThatThrownBy(() -> probe.probe(only, only))
                    .isInstanceOfSatisfying(
                            UnsafeServerException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.SHARED_SESSIONS))
                    .hasMessageStartingWith("The test: ")
                    .hasMessageContaining("session mode");
        }
        database.awaitNoAdvisoryRow();
    }

    @Test
    void probe_functionsThatGrantEverything_areRefused() throws SQLException {
        try (ScratchDatabase scratch = database.emptyDatabase();
                Connection first = connect(scratch.url());
                Connection second = connect(scratch.url());
                Statement statement = first.createStatement()) {
            for (String function : List.of("pg_try_advisory_lock", "pg_advisory_unlock")) {
                statement.execute("create or replace function pg_catalog." + function
                        + "(bigint) returns boolean language sql as 'select true'");
            }

            assertThatThrownBy(() -> probe.probe(first, second))
                    .isInstanceOfSatisfying(
                            UnsafeServerException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.NO_EXCLUSION))
                    .hasMessageContaining("a second one at the same time that it had it too");
        }
    }

    @Test
    void probe_functionsThatAreShadowed_asksThoseOfPostgresql() throws SQLException {
        try (ScratchDatabase scratch = database.emptyDatabase();
                Connection first = connect(scratch.url());
                Connection second = connect(scratch.url())) {
            for (Connection connection : List.of(first, second)) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("create schema if not exists shadow");
                    statement.execute("create or replace function shadow.pg_try_advisory_lock(bigint) returns boolean"
                            + " language sql as 'select true'");
                    statement.execute("set search_path = shadow, pg_catalog");
                }
            }

            assertThat(probe.probe(first, second).exclusionTried()).isTrue();
        }
    }

    @Test
    void build_poolerInSessionMode_isAccepted() {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.SESSION, 4);
                Locker locker = Locker.builder("probe").url(bouncer.url()).build();
                LockHandle handle = locker.exclusive(locker.key("pooled")).acquire()) {
            assertThat(handle.isHeld()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = PoolMode.class,
            names = {"TRANSACTION", "STATEMENT"})
    void build_poolerThatSharesSessions_isRefused(PoolMode mode) {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), mode, 4)) {
            assertThatThrownBy(() -> Locker.builder("probe").url(bouncer.url()).build())
                    .isInstanceOfSatisfying(
                            UnsafeServerException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.SHARED_SESSIONS));
        }
    }

    /** Where sessions take turns, a connection may well come back to its own with its third statement. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void build_poolerWhoseSessionsTakeTurns_isRefusedAndNothingStays(int sessions) throws SQLException {
        try (PgBouncer bouncer =
                PgBouncer.start(database.url(), PoolMode.TRANSACTION, sessions, "server_round_robin = 1")) {
            openAll(bouncer, sessions);
            for (int i = 0; i < 5; i++) {
                assertThatThrownBy(
                                () -> Locker.builder("probe").url(bouncer.url()).build())
                        .isInstanceOfSatisfying(
                                UnsafeServerException.class,
                                e -> assertThat(e.reason()).isEqualTo(Reason.SHARED_SESSIONS));
            }
            assertThat(database.advisoryRows()).isEmpty();
        }
    }

    /** So many transactions at a time need so many sessions. */
    private static void openAll(PgBouncer bouncer, int sessions) throws SQLException {
        List<Connection> clients = new ArrayList<>();
        try {
            for (int i = 0; i < sessions; i++) {
                Connection client = connect(bouncer.url());
                clients.add(client);
                client.setAutoCommit(false);
                try (Statement statement = client.createStatement()) {
                    statement.execute("select 1");
                }
            }
        } finally {
            for (Connection client : clients) {
                client.close();
            }
        }
    }

    /** What the refusal is for: the control of the tests above. */
    @Test
    void withoutServerProbe_poolerInTransactionMode_twoLockersHaveOneLock() {
        LockKey key = LockKey.of("probe", "leak");
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.TRANSACTION, 1);
                Locker one = unprobed(bouncer);
                Locker other = unprobed(bouncer);
                LockHandle ofOne = one.exclusive(key).acquire();
                LockHandle ofOther = other.exclusive(key).acquire()) {
            assertThat(ofOne.isHeld() && ofOther.isHeld()).isTrue();
        }
    }

    private static Locker unprobed(PgBouncer bouncer) {
        return Locker.builder("probe").url(bouncer.url()).withoutServerProbe().build();
    }

    @Test
    void build_standby_isRefusedUntilItIsPromoted(@TempDir Path directory) {
        LockKey key = LockKey.of("probe", "standby");
        try (PrimaryAndStandby servers = PrimaryAndStandby.start(directory)) {
            ThrowingCallable build = () ->
                    Locker.builder("probe").url(servers.standbyUrl()).build().close();
            Locker.builder("probe").url(servers.primaryUrl()).build().close();

            assertThatThrownBy(build)
                    .isInstanceOfSatisfying(
                            UnsafeServerException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.STANDBY))
                    .hasMessageContaining("targetServerType=primary");
            // What it is refused for: both have the lock.
            try (Locker onPrimary =
                            Locker.builder("probe").url(servers.primaryUrl()).build();
                    Locker onStandby = Locker.builder("probe")
                            .url(servers.standbyUrl())
                            .withoutServerProbe()
                            .build();
                    LockHandle one = onPrimary.exclusive(key).acquire();
                    LockHandle other = onStandby.exclusive(key).acquire()) {
                assertThat(one.isHeld() && other.isHeld()).isTrue();
            }

            servers.promote();
            Locker.builder("probe").url(servers.standbyUrl()).build().close();
        }
    }

    @Test
    void probe_olderServer_isRefusedBeforeItIsAsked() throws SQLException {
        try (Connection connection = connect(database.url())) {
            Connection old = sayingToBe(13, connection);

            assertThatThrownBy(() -> probe.probe(old, null))
                    .isInstanceOfSatisfying(
                            UnsafeServerException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.TOO_OLD))
                    .hasMessageContaining("PostgreSQL 13");
        }
    }

    @Test
    void probe_timeoutsThatEndSessionsAndWaits_areWarnedOf() throws SQLException {
        String settings = "options=-c%20idle_session_timeout=60s%20-c%20statement_timeout=2s";
        try (Connection first = connect(database.urlWith(settings))) {
            Findings findings = probe.probe(first, null);

            assertThat(findings.idleTimeout()).isEqualTo(Duration.ofMinutes(1));
            assertThat(findings.statementTimeout()).isEqualTo(Duration.ofSeconds(2));
            assertThat(findings.warnings())
                    .hasSize(3)
                    .anySatisfy(warning -> assertThat(warning).contains("no second connection"))
                    .anySatisfy(warning -> assertThat(warning).contains("idle_session_timeout is PT1M"))
                    .anySatisfy(warning -> assertThat(warning).contains("statement_timeout is PT2S"));
        }
    }

    @Test
    void warnings_ofALockerThatIsTooLarge_nameTheNumbers() {
        Findings small = new Findings(true, Duration.ZERO, Duration.ZERO, Duration.ZERO, 20, 400);

        assertThat(small.warnings(10, 100)).isEmpty();
        assertThat(small.warnings(21, 100)).singleElement().asString().contains("maxSessions(21)", "20 sessions");
        assertThat(small.warnings(10, 201)).singleElement().asString().contains("lockBudget(201)", "400 locks");
        assertThat(small.warnings(10, 9)).singleElement().asString().contains("hold 9,", "maxSessions(10)");
    }

    /** The role may have one connection only. */
    @Test
    void build_serverRefusesASecondConnection_opensAndLocksWithTheOne() {
        String role = "pals_single_" + ProcessHandle.current().pid();
        database.execute("create role " + role + " login password 'single' connection limit 1");
        try {
            PGSimpleDataSource dataSource = new PGSimpleDataSource();
            dataSource.setUrl(database.url());
            dataSource.setUser(role);
            dataSource.setPassword("single");
            LockKey key = LockKey.of("probe", "single");
            try (Locker locker = Locker.builder("probe")
                            .dataSource(dataSource)
                            .maxSessions(2)
                            .build();
                    LockHandle handle = locker.exclusive(key).acquire()) {
                assertThat(handle.isHeld()).isTrue();
                assertThat(database.isHeld(key)).isTrue();
            }
        } finally {
            database.awaitNoAdvisoryRow();
            database.execute("drop role " + role);
        }
    }

    private static Connection connect(String url) throws SQLException {
        return DriverManager.getConnection(url);
    }

    /** Where a server of that version would have to run. */
    private static Connection sayingToBe(int version, Connection connection) throws SQLException {
        DatabaseMetaData real = connection.getMetaData();
        DatabaseMetaData metaData = (DatabaseMetaData) Proxy.newProxyInstance(
                ServerProbeTest.class.getClassLoader(),
                new Class<?>[] {DatabaseMetaData.class},
                (proxy, method, arguments) ->
                        method.getName().equals("getDatabaseMajorVersion") ? version : method.invoke(real, arguments));
        return (Connection) Proxy.newProxyInstance(
                ServerProbeTest.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) ->
                        method.getName().equals("getMetaData") ? metaData : method.invoke(connection, arguments));
    }
}
