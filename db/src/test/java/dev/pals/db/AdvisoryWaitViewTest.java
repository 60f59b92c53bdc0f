package dev.pals.db;

import static dev.pals.db.jooq.pals.Tables.ADVISORY_LOCK;
import static dev.pals.db.jooq.pals.Tables.ADVISORY_WAIT;
import static dev.pals.db.jooq.pals.Tables.LOCK_NAME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.db.jooq.pals.tables.records.AdvisoryLockRecord;
import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/** Both audit views, compared row by row with what sessions of two applications do. */
class AdvisoryWaitViewTest {
    private static final long INVOICE_RUN = 6451536150896405195L;
    private static final long ACCOUNT = -5435191104160806389L;
    private static final long REPORT = 123456789012345678L;
    /** Within Flyway's range. */
    private static final long FLYWAY = 77_430_000_000_000L;

    private static PostgresServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Future<?>> waits = new ArrayList<>();
    private final Map<String, Connection> sessions = new HashMap<>();
    private final Map<Integer, String> names = new HashMap<>();
    private ScratchDatabase database;
    private DSLContext dsl;

    @BeforeAll
    static void startServer() {
        server = PostgresServer.start();
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @BeforeEach
    void install() {
        database = server.newDatabase();
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(database.url());
        PalsSchema.migrate(dataSource);
        dsl = DSL.using(dataSource, SQLDialect.POSTGRES);
        dsl.insertInto(LOCK_NAME)
                .columns(
                        LOCK_NAME.LOCK_HASH,
                        LOCK_NAME.APP_HASH,
                        LOCK_NAME.APP,
                        LOCK_NAME.NAME,
                        LOCK_NAME.NUMERIC_FAMILY)
                .values(INVOICE_RUN, 1L, "billing", "invoice-run", false)
                .values(ACCOUNT, 1L, "billing", "account", true)
                .values(REPORT, 2L, "reports", "monthly", false)
                .execute();
    }

    @AfterEach
    void drop() throws Exception {
        for (Connection connection : sessions.values()) {
            connection.abort(Runnable::run);
        }
        threads.shutdownNow();
        assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        database.close();
    }

    @Test
    void twoApplications_sixSessionsAndAChain_areShownRowByRow() throws Exception {
        locked("a", "pg_advisory_lock(" + INVOICE_RUN + ")");
        locked("a", "pg_advisory_lock_shared(" + (ACCOUNT ^ 42) + ")");
        locked("b", "pg_advisory_lock_shared(" + (ACCOUNT ^ 42) + ")");
        locked("b", "pg_advisory_lock(" + FLYWAY + ")");
        locked("c", "pg_advisory_lock(" + REPORT + ")");
        locked("c", "pg_advisory_lock(7, 8)");
        waiting("c", "pg_advisory_lock(" + INVOICE_RUN + ")");
        waiting("d", "pg_advisory_lock(" + INVOICE_RUN + ")");
        waiting("e", "pg_advisory_lock_shared(" + INVOICE_RUN + ")");
        waiting("f", "pg_advisory_lock(" + INVOICE_RUN + ")");
        waiting("g", "pg_advisory_lock_shared(" + REPORT + ")");
        waiting("h", "pg_advisory_lock(" + (ACCOUNT ^ 42) + ")");

        assertThat(dsl.selectFrom(ADVISORY_LOCK).fetch().map(this::line))
                .containsExactlyInAnyOrder(
                        "a holds billing invoice-run exclusive, session",
                        "a holds billing account:42 shared, session",
                        "b holds billing account:42 shared, session",
                        "b holds Flyway exclusive, session",
                        "c holds reports monthly exclusive",
                        "c holds " + (7L << 32 | 8) + " two integers exclusive",
                        "c waits for billing invoice-run exclusive, behind a",
                        "d waits for billing invoice-run exclusive, behind a c",
                        "e waits for billing invoice-run shared, behind a c d",
                        "f waits for billing invoice-run exclusive, behind a c d e",
                        "g waits for reports monthly shared, behind c",
                        "h waits for billing account:42 exclusive, behind a b");
        assertThat(tree())
                .containsExactlyInAnyOrder(
                        "a",
                        "a c invoice-run",
                        "a c d invoice-run",
                        "a c d e invoice-run",
                        "a c d e f invoice-run",
                        "a c g monthly",
                        "a h account:42",
                        "b",
                        "b h account:42");
    }

    @Test
    void readersThatWaitTogether_standBesideEachOther() throws Exception {
        locked("a", "pg_advisory_lock(" + REPORT + ")");
        waiting("b", "pg_advisory_lock_shared(" + REPORT + ")");
        waiting("c", "pg_advisory_lock_shared(" + REPORT + ")");

        assertThat(tree()).containsExactlyInAnyOrder("a", "a b monthly", "a c monthly");
    }

    /** Whoever frees a waiter has to know of each of them. */
    @Test
    void holderOfTheLockThatAlsoHoldsAnother_whichAHolderWaitsFor_blocksBoth() throws Exception {
        locked("a", "pg_advisory_lock_shared(" + REPORT + ")");
        locked("a", "pg_advisory_lock(" + INVOICE_RUN + ")");
        locked("b", "pg_advisory_lock_shared(" + REPORT + ")");
        waiting("b", "pg_advisory_lock(" + INVOICE_RUN + ")");
        waiting("c", "pg_advisory_lock(" + REPORT + ")");

        assertThat(tree()).containsExactlyInAnyOrder("a", "a b invoice-run", "a c monthly", "a b c monthly");
    }

    /**
     * Two readers stand beside each other, and the next writer behind both, and so on: what is behind is not doubled.
     */
    @Test
    void readersAndWritersThatTakeTurns_growTheTreeNoFasterThanTheirNumber() throws Exception {
        locked("a", "pg_advisory_lock(" + REPORT + ")");
        int groups = 15;
        for (int i = 0; i < groups; i++) {
            waiting("r" + i, "pg_advisory_lock_shared(" + REPORT + ")");
            waiting("s" + i, "pg_advisory_lock_shared(" + REPORT + ")");
            waiting("w" + i, "pg_advisory_lock(" + REPORT + ")");
        }

        // Each writer stands twice, under both readers; each reader once.
        assertThat(dsl.fetchCount(ADVISORY_WAIT)).isEqualTo(1 + groups * 4);
        assertThat(dsl.fetch(ADVISORY_WAIT).getValues(ADVISORY_WAIT.PID)).containsAll(names.keySet());
    }

    @Test
    void nobodyWaits_treeIsEmpty() throws Exception {
        locked("a", "pg_advisory_lock(" + REPORT + ")");

        assertThat(dsl.fetchCount(ADVISORY_WAIT)).isZero();
    }

    @Test
    void scopeAndTimes_areToldAsFarAsTheyAreKnown() throws Exception {
        locked("a", "pg_advisory_lock(" + REPORT + ")");
        session("b").setAutoCommit(false);
        locked("b", "pg_advisory_xact_lock(" + INVOICE_RUN + ")");

        AdvisoryLockRecord ofSession = row(REPORT);
        AdvisoryLockRecord ofTransaction = row(INVOICE_RUN);

        assertThat(ofSession.getScope()).isEqualTo("session");
        assertThat(ofSession.getTransactionAge()).isNull();
        assertThat(ofTransaction.getScope()).isNull();
        assertThat(ofTransaction.getTransactionAge()).isNotNull();
        assertThat(Stream.of(ofSession, ofTransaction))
                .allSatisfy(row -> assertThat(row.getHeldAtLeastSince()).isNotNull());
    }

    @Test
    void roleWithoutRights_seesWhoButNotWhatTheyDo() throws Exception {
        locked("a", "pg_advisory_lock(" + REPORT + ")");
        String role = "pals_reader_" + ProcessHandle.current().pid();
        dsl.execute("create role " + role);
        dsl.execute("grant usage on schema pals to " + role);
        dsl.execute("grant select on pals.advisory_lock, pals.advisory_wait to " + role);
        PGSimpleDataSource reader = new PGSimpleDataSource();
        reader.setUrl(database.url());
        reader.setOptions("-c role=" + role);
        try {
            AdvisoryLockRecord row = DSL.using(reader, SQLDialect.POSTGRES)
                    .selectFrom(ADVISORY_LOCK)
                    .fetchSingle();

            assertThat(row.getName()).isEqualTo("monthly");
            assertThat(row.getUserName()).isNotNull();
            assertThat(row.getApplicationName()).isNotNull();
            assertThat(row.getGranted()).isTrue();
            assertThat(Stream.of(row.getClientAddress(), row.getScope(), row.getTransactionAge()))
                    .allSatisfy(hidden -> assertThat(hidden).isNull());
            assertThat(row.getHeldAtLeastSince()).isNull();
        } finally {
            dsl.execute("drop owned by " + role);
            dsl.execute("drop role " + role);
        }
    }

    private AdvisoryLockRecord row(long key) {
        return dsl.fetchSingle(ADVISORY_LOCK, ADVISORY_LOCK.LOCK_KEY.eq(key));
    }

    private String line(AdvisoryLockRecord row) {
        String lock = row.getTool() != null
                ? row.getTool()
                : row.getName() != null
                        ? row.getApp() + " " + row.getName()
                        : row.getLockKey() + " " + row.getKeySpace();
        String behind = Stream.of(row.getBlockedBy()).map(names::get).sorted().collect(Collectors.joining(" "));
        return names.get(row.getPid()) + (row.getGranted() ? " holds " : " waits for ") + lock + " " + row.getMode()
                + (row.getScope() == null ? "" : ", " + row.getScope())
                + (row.getGranted() ? "" : ", behind " + behind);
    }

    /** Each row with the way from its root. */
    private List<String> tree() {
        return dsl.selectFrom(ADVISORY_WAIT).orderBy(ADVISORY_WAIT.PATH).fetch().map(row -> {
            String path = Stream.of(row.getPath()).map(names::get).collect(Collectors.joining(" "));
            assertThat(row.getDepth()).isEqualTo(row.getPath().length - 1);
            assertThat(names.get(row.getPid())).isEqualTo(path.substring(path.length() - 1));
            return row.getName() == null ? path : path + " " + row.getName();
        });
    }

    private Connection session(String name) throws SQLException {
        Connection connection = sessions.get(name);
        if (connection == null) {
            connection = DriverManager.getConnection(database.url());
            sessions.put(name, connection);
            names.put(connection.unwrap(PGConnection.class).getBackendPID(), name);
        }
        return connection;
    }

    private void locked(String name, String call) throws SQLException {
        execute(session(name), "select " + call);
    }

    private void waiting(String name, String call) throws Exception {
        Connection connection = session(name);
        int pid = connection.unwrap(PGConnection.class).getBackendPID();
        waits.add(threads.submit(() -> {
            execute(connection, "select " + call);
            return null;
        }));
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30); ; ) {
            // PostgreSQL says since when a moment later.
            if (dsl.fetchExists(
                    ADVISORY_LOCK, ADVISORY_LOCK.PID.eq(pid).and(ADVISORY_LOCK.WAITING_SINCE.isNotNull()))) {
                return;
            }
            assertThat(System.nanoTime()).as("%s waits for %s", name, call).isLessThan(end);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
