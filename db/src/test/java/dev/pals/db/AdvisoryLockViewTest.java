package dev.pals.db;

import static dev.pals.db.jooq.pals.Tables.ADVISORY_LOCK;
import static dev.pals.db.jooq.pals.Tables.LOCK_NAME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.db.jooq.pals.tables.records.AdvisoryLockRecord;
import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

class AdvisoryLockViewTest {
    private static final long PLAIN = 6451536150896405195L;
    private static final long FAMILY = -5435191104160806389L;

    private static PostgresServer server;
    private ScratchDatabase database;
    private Connection holder;
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
    void install() throws SQLException {
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
                .values(PLAIN, 1L, "billing", "invoice-run", false)
                .values(FAMILY, 1L, "billing", "account", true)
                .execute();
        holder = DriverManager.getConnection(database.url());
    }

    @AfterEach
    void drop() throws SQLException {
        holder.close();
        database.close();
    }

    @Test
    void heldLock_isShownByName() throws SQLException {
        execute(holder, "select pg_advisory_lock(" + PLAIN + ")");

        AdvisoryLockRecord row = onlyRow();

        assertThat(row.getApp()).isEqualTo("billing");
        assertThat(row.getName()).isEqualTo("invoice-run");
        assertThat(row.getLockKey()).isEqualTo(PLAIN);
        assertThat(row.getMode()).isEqualTo("exclusive");
        assertThat(row.getGranted()).isTrue();
        assertThat(row.getBlockedBy()).isEmpty();
        assertThat(row.getWaitingSince()).isNull();
    }

    @ParameterizedTest
    @ValueSource(longs = {42, -42, 0x123456789AL, 1099511627775L, -1099511627775L})
    void lockOfAFamily_isShownWithItsId(long id) throws SQLException {
        execute(holder, "select pg_advisory_lock_shared(" + (FAMILY ^ id) + ")");

        assertThat(onlyRow().getName()).isEqualTo("account:" + id);
        assertThat(onlyRow().getMode()).isEqualTo("shared");
    }

    @ParameterizedTest
    @ValueSource(strings = {"12345", "1099511627776", "-1"})
    void unregisteredKey_isShownWithoutAName(String key) throws SQLException {
        execute(holder, "select pg_advisory_lock(" + key + ")");

        assertThat(onlyRow().getName()).isNull();
        assertThat(onlyRow().getLockKey()).isEqualTo(Long.parseLong(key));
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 40, -(1L << 40), Long.MAX_VALUE, Long.MIN_VALUE})
    void keyBeyondAFamilysIds_isShownWithoutAName(long id) throws SQLException {
        execute(holder, "select pg_advisory_lock(" + (FAMILY ^ id) + ")");

        assertThat(onlyRow().getName()).isNull();
    }

    @Test
    void plainName_thatAFamilyCouldReach_comesFirst() throws SQLException {
        dsl.insertInto(LOCK_NAME)
                .columns(LOCK_NAME.LOCK_HASH, LOCK_NAME.NAME)
                .values(FAMILY ^ 7, "near-the-family")
                .execute();
        execute(holder, "select pg_advisory_lock(" + (FAMILY ^ 7) + ")");

        assertThat(onlyRow().getName()).isEqualTo("near-the-family");
        assertThat(onlyRow().getApp()).isNull();
    }

    @Test
    void sharedLock_ofTwoSessions_isShownOncePerSession() throws SQLException {
        try (Connection second = DriverManager.getConnection(database.url())) {
            execute(holder, "select pg_advisory_lock_shared(" + PLAIN + ")");
            execute(second, "select pg_advisory_lock_shared(" + PLAIN + ")");

            assertThat(dsl.selectFrom(ADVISORY_LOCK).fetch())
                    .hasSize(2)
                    .allSatisfy(row -> {
                        assertThat(row.getName()).isEqualTo("invoice-run");
                        assertThat(row.getMode()).isEqualTo("shared");
                        assertThat(row.getGranted()).isTrue();
                    })
                    .extracting(AdvisoryLockRecord::getPid)
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void bigintAndTwoIntegers_ofTheSameBits_areTwoRows() throws SQLException {
        execute(holder, "select pg_advisory_lock(" + PLAIN + ")");
        execute(holder, "select pg_advisory_lock(" + (int) (PLAIN >> 32) + ", " + (int) PLAIN + ")");

        assertThat(dsl.selectFrom(ADVISORY_LOCK).fetch())
                .extracting(row -> row.getKeySpace() + " " + row.getName() + " " + row.getLockKey())
                .containsExactlyInAnyOrder("bigint invoice-run " + PLAIN, "two integers null " + PLAIN);
    }

    @Test
    void twoIntegers_ofTheSameBits_areNotNamed() throws SQLException {
        execute(holder, "select pg_advisory_lock(" + (int) (PLAIN >> 32) + ", " + (int) PLAIN + ")");

        assertThat(onlyRow().getName()).isNull();
        assertThat(onlyRow().getKeySpace()).isEqualTo("two integers");
    }

    @Test
    void lockInAnotherDatabase_isLeftOut() throws SQLException {
        try (ScratchDatabase other = server.newDatabase();
                Connection elsewhere = DriverManager.getConnection(other.url())) {
            execute(elsewhere, "select pg_advisory_lock(" + PLAIN + ")");

            assertThat(dsl.fetchCount(ADVISORY_LOCK)).isZero();
        }
    }

    @Test
    void waiter_isShownWithWhoBlocksIt() throws Exception {
        execute(holder, "select pg_advisory_lock(" + PLAIN + ")");
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (Connection waiting = DriverManager.getConnection(database.url())) {
            Future<?> wait = executor.submit(() -> {
                execute(waiting, "select pg_advisory_lock(" + PLAIN + ")");
                return null;
            });
            AdvisoryLockRecord row = null;
            for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
                    row == null || row.getWaitingSince() == null; ) {
                assertThat(System.nanoTime()).isLessThan(end);
                row = dsl.selectFrom(ADVISORY_LOCK)
                        .where(ADVISORY_LOCK.GRANTED.isFalse())
                        .fetchOne();
            }
            int holderPid = dsl.selectFrom(ADVISORY_LOCK)
                    .where(ADVISORY_LOCK.GRANTED)
                    .fetchSingle()
                    .getPid();
            assertThat(row.getName()).isEqualTo("invoice-run");
            assertThat(row.getBlockedBy()).containsExactly(holderPid);
            execute(holder, "select pg_advisory_unlock_all()");
            wait.get(30, TimeUnit.SECONDS);
        } finally {
            executor.shutdownNow();
        }
    }

    private AdvisoryLockRecord onlyRow() {
        return dsl.selectFrom(ADVISORY_LOCK).fetchSingle();
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
