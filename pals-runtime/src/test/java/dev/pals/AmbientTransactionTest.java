package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.SQLDataType.VARCHAR;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.SnapshotBeforeLockException;
import dev.pals.lock.WaitPolicy;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.impl.DataSourceConnectionProvider;
import org.jooq.impl.DefaultConfiguration;
import org.jooq.impl.NoTransactionProvider;
import org.jooq.impl.ThreadLocalTransactionProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.transaction.TransactionDefinition;

/** A locked transaction within one of somebody else's joins it, and never ends it; elsewhere it begins its own. */
final class AmbientTransactionTest extends LockerFixture {
    private static final LockKey KEY = LockKey.of("ambient-transaction", "key");
    private static final LockKey INNER = LockKey.of("ambient-transaction", "inner");
    private static final Duration SHORT = Duration.ofMillis(20);

    private static final Table<?> LEDGER = table(name("public", "ambient_transaction_ledger"));
    private static final Field<String> ENTRY = field(name("entry"), VARCHAR);

    private final DSLContext observer;

    AmbientTransactionTest(TestDatabase database) {
        super(database, "ambient-transaction");
        observer = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    }

    @BeforeEach
    void createLedger() {
        observer.createTable(LEDGER).column(ENTRY).execute();
    }

    @AfterEach
    void dropLedger() {
        observer.dropTable(LEDGER).execute();
    }

    private interface Work {
        void in(DSLContext dsl) throws Exception;

        default void unchecked(DSLContext dsl) {
            try {
                in(dsl);
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    /**
     * Whose transaction it is, and through which jOOQ it is worked in; it is committed, or rolled back if that throws.
     */
    enum Ambient {
        JOOQ {
            @Override
            void run(TestDatabase database, Work work) {
                dsl(database).transaction(trx -> work.in(trx.dsl()));
            }
        },
        JOOQ_NESTED {
            @Override
            void run(TestDatabase database, Work work) {
                dsl(database).transaction(trx -> trx.dsl().transaction(nested -> work.in(nested.dsl())));
            }
        },
        JDBC {
            @Override
            void run(TestDatabase database, Work work) throws SQLException {
                onConnection(database, work, DSL::using);
            }
        },
        JDBC_WITHOUT_TRANSACTIONS_OF_JOOQ {
            @Override
            void run(TestDatabase database, Work work) throws SQLException {
                onConnection(
                        database,
                        work,
                        connection -> DSL.using(connection)
                                .configuration()
                                .derive(new NoTransactionProvider())
                                .dsl());
            }
        },
        CONNECTION_PROVIDER {
            @Override
            void run(TestDatabase database, Work work) throws SQLException {
                onConnection(
                        database,
                        work,
                        connection -> DSL.using(new FrameworkConnections(connection), SQLDialect.POSTGRES));
            }
        },
        SPRING {
            @Override
            void run(TestDatabase database, Work work) {
                SpringTransactions spring = new SpringTransactions(database.dataSource());
                spring.run(TransactionDefinition.PROPAGATION_REQUIRED, () -> work.unchecked(spring.dsl()));
            }
        },
        SPRING_NESTED {
            @Override
            void run(TestDatabase database, Work work) {
                SpringTransactions spring = new SpringTransactions(database.dataSource());
                spring.run(
                        TransactionDefinition.PROPAGATION_REQUIRED,
                        () -> spring.run(TransactionDefinition.PROPAGATION_NESTED, () -> work.unchecked(spring.dsl())));
            }
        },
        SPRING_WITH_PROVIDER {
            @Override
            void run(TestDatabase database, Work work) {
                SpringTransactions spring = new SpringTransactions(database.dataSource());
                spring.run(TransactionDefinition.PROPAGATION_REQUIRED, () -> work.unchecked(spring.dslWithProvider()));
            }
        },
        SPRING_BEGUN_THROUGH_ITS_PROVIDER {
            @Override
            void run(TestDatabase database, Work work) {
                new SpringTransactions(database.dataSource()).dslWithProvider().transaction(trx -> work.in(trx.dsl()));
            }
        },
        SPRING_ON_A_POOL_WITHOUT_AUTOCOMMIT {
            @Override
            void run(TestDatabase database, Work work) {
                try (HikariDataSource pool = poolWithoutAutocommit(database)) {
                    SpringTransactions spring = new SpringTransactions(pool);
                    spring.run(TransactionDefinition.PROPAGATION_REQUIRED, () -> work.unchecked(spring.dsl()));
                }
            }
        },
        THREAD_LOCAL {
            @Override
            void run(TestDatabase database, Work work) {
                DSLContext dsl = threadLocal(database.dataSource());
                dsl.transaction(() -> work.in(dsl));
            }
        };

        abstract void run(TestDatabase database, Work work) throws SQLException;

        static DSLContext dsl(TestDatabase database) {
            return DSL.using(database.dataSource(), SQLDialect.POSTGRES);
        }

        private interface Context {
            DSLContext on(Connection connection);
        }

        private static void onConnection(TestDatabase database, Work work, Context context) throws SQLException {
            try (Connection connection = DriverManager.getConnection(database.url())) {
                connection.setAutoCommit(false);
                try {
                    work.unchecked(context.on(connection));
                    connection.commit();
                } finally {
                    connection.rollback();
                }
            }
        }
    }

    private static DSLContext threadLocal(DataSource dataSource) {
        return new DefaultConfiguration()
                .set(SQLDialect.POSTGRES)
                .set(new ThreadLocalTransactionProvider(new DataSourceConnectionProvider(dataSource)))
                .dsl();
    }

    private static HikariDataSource poolWithoutAutocommit(TestDatabase database) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.url());
        config.setAutoCommit(false);
        config.setMaximumPoolSize(2);
        return new HikariDataSource(config);
    }

    // ---- within a transaction ----

    @ParameterizedTest
    @EnumSource(Ambient.class)
    void transaction_ambientCommits_isPartOfItAndLockedUntilItEnds(Ambient ambient) throws Exception {
        Locker locker = locker();
        ambient.run(database, dsl -> {
            int outer = pid(dsl);
            enter(dsl, "before");
            int inner = locker.exclusive(KEY).transactionResult(dsl, trx -> {
                enter(trx.dsl(), "within");
                return pid(trx.dsl());
            });
            enter(dsl, "after");

            assertThat(inner).isEqualTo(outer);
            assertThat(database.rowsOf(KEY))
                    .extracting(TestDatabase.AdvisoryRow::pid)
                    .containsExactly(outer);
            assertThat(ledger(dsl)).containsExactly("before", "within", "after");
            assertThat(ledger(observer)).isEmpty();
        });
        assertThat(ledger(observer)).containsExactly("before", "within", "after");
        assertThat(database.advisoryRows()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Ambient.class)
    void transaction_ambientRollsBack_isRolledBackWithIt(Ambient ambient) {
        Locker locker = locker();
        assertThatThrownBy(() -> ambient.run(database, dsl -> {
                    enter(dsl, "before");
                    locker.exclusive(KEY).transaction(dsl, trx -> enter(trx.dsl(), "within"));
                    assertThat(database.isHeld(KEY)).isTrue();
                    throw new IllegalStateException("undo");
                }))
                .hasMessage("undo");

        assertThat(ledger(observer)).isEmpty();
        assertThat(database.advisoryRows()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Ambient.class)
    void transaction_bodyThrows_rollsBackToItsSavepointOnly(Ambient ambient) throws Exception {
        Locker locker = locker();
        ambient.run(database, dsl -> {
            enter(dsl, "before");
            assertThatThrownBy(() -> locker.exclusive(KEY).transaction(dsl, trx -> {
                        enter(trx.dsl(), "within");
                        assertThat(database.isHeld(KEY)).isTrue();
                        throw new IllegalArgumentException("undo");
                    }))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("undo");
            assertThat(database.isHeld(KEY)).isFalse();
            assertThatThrownBy(() -> locker.shared(KEY).transaction(dsl, trx -> {
                        enter(trx.dsl(), "within");
                        throw new IOException("undo");
                    }))
                    .isInstanceOf(DataAccessException.class)
                    .hasRootCauseInstanceOf(IOException.class);
            assertThatThrownBy(() ->
                            locker.shared(KEY).transaction(dsl, trx -> trx.dsl().execute("select 1 / 0")))
                    .isInstanceOf(DataAccessException.class);
            assertThat(database.isHeld(KEY)).isFalse();
            enter(dsl, "after");
        });
        assertThat(ledger(observer)).containsExactly("before", "after");
    }

    @ParameterizedTest
    @EnumSource(Ambient.class)
    void transaction_lockIsNotFree_timesOutAndTheRestIsUsable(Ambient ambient) throws Exception {
        Locker locker = opened(builder().waiting(WaitPolicy.atMost(SHORT)));
        AtomicBoolean ran = new AtomicBoolean();
        try (LockHandle ignored = locker().exclusive(KEY).acquire()) {
            ambient.run(database, dsl -> {
                enter(dsl, "before");
                assertThatThrownBy(() -> locker.exclusive(KEY, INNER).transaction(dsl, trx -> ran.set(true)))
                        .isInstanceOf(LockTimeoutException.class);
                assertThatThrownBy(() ->
                                locker.shared(KEY).waitAtMost(Duration.ZERO).transaction(dsl, trx -> ran.set(true)))
                        .isInstanceOf(LockTimeoutException.class);
                assertThat(database.isHeld(INNER)).isFalse();
                enter(dsl, "after");
            });
        }
        assertThat(ran).isFalse();
        assertThat(ledger(observer)).containsExactly("before", "after");
    }

    @ParameterizedTest
    @EnumSource(Ambient.class)
    void transaction_lockIsReleasedByAnother_isGranted(Ambient ambient) throws Exception {
        Locker locker = locker();
        Future<?> waiting;
        try (LockHandle ignored = locker.exclusive(KEY).acquire()) {
            waiting = inBackground(() -> {
                ambient.run(
                        database,
                        dsl -> locker.exclusive(KEY)
                                .waitAtMost(PATIENCE)
                                .transaction(dsl, trx -> enter(trx.dsl(), "within")));
                return true;
            });
            database.awaitWaiter(KEY);
        }
        assertThat(waiting).succeedsWithin(PATIENCE);
        assertThat(ledger(observer)).containsExactly("within");
    }

    @ParameterizedTest
    @EnumSource(Ambient.class)
    void transaction_transactionsWithinIt_areSavepoints(Ambient ambient) throws Exception {
        Locker locker = locker();
        ambient.run(
                database,
                dsl -> locker.exclusive(KEY).transaction(dsl, trx -> {
                    enter(trx.dsl(), "before");
                    assertThatThrownBy(() -> trx.dsl().transaction(nested -> {
                                enter(nested.dsl(), "nested");
                                TransactionLocks.in(nested).exclusive(INNER).acquire();
                                throw new IllegalStateException("undo");
                            }))
                            .hasMessage("undo");
                    assertThat(database.isHeld(INNER)).isFalse();
                    trx.dsl().transaction(nested -> enter(nested.dsl(), "nested again"));
                    locker.exclusive(INNER).transaction(trx.dsl(), inner -> enter(inner.dsl(), "locked"));
                    assertThat(database.isHeld(INNER)).isTrue();
                    assertThat(ledger(observer)).isEmpty();
                }));
        assertThat(ledger(observer)).containsExactly("before", "nested again", "locked");
        assertThat(database.advisoryRows()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Ambient.class)
    void transactionLocks_inTheAmbient_areHeldUntilItEnds(Ambient ambient) throws Exception {
        ambient.run(database, dsl -> {
            TransactionLocks.in(dsl).exclusive(KEY).acquire();
            assertThat(TransactionLocks.in(dsl).shared(INNER, KEY).tryAcquire()).isTrue();
            enter(dsl, "entry");
            assertThat(database.isHeld(KEY)).isTrue();
            assertThat(database.isHeld(INNER)).isTrue();
        });
        assertThat(database.advisoryRows()).isEmpty();
        assertThat(ledger(observer)).containsExactly("entry");
    }

    @ParameterizedTest
    @EnumSource(
            value = Ambient.class,
            names = {"JOOQ_NESTED", "SPRING_NESTED"},
            mode = EnumSource.Mode.EXCLUDE)
    void transaction_ambientHasItsSnapshot_isRefusedWithTheWayOut(Ambient ambient) throws Exception {
        Locker locker = locker();
        AtomicBoolean ran = new AtomicBoolean();
        ambient.run(database, dsl -> {
            dsl.execute("set transaction isolation level repeatable read");
            assertThatThrownBy(() -> locker.exclusive(KEY).transaction(dsl, trx -> ran.set(true)))
                    .isInstanceOf(SnapshotBeforeLockException.class)
                    .hasMessageContainingAll("REPEATABLE READ", KEY.toString(), "locker.exclusive(key).transaction");
            assertThat(database.advisoryRows()).isEmpty();
            enter(dsl, "goes on");
        });
        assertThat(ran).isFalse();
        assertThat(ledger(observer)).containsExactly("goes on");
    }

    @ParameterizedTest
    @EnumSource(Ambient.class)
    void transaction_fenced_isRefusedAndTheRestIsUsable(Ambient ambient) throws Exception {
        Locker locker = opened(builder().fencingTokens());
        AtomicBoolean ran = new AtomicBoolean();
        ambient.run(database, dsl -> {
            assertThatThrownBy(() -> locker.exclusive(KEY).fenced().transaction(dsl, trx -> ran.set(true)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll(KEY.toString(), "within another transaction", "Begin it outside");
            enter(dsl, "goes on");
        });
        assertThat(ran).isFalse();
        assertThat(ledger(observer)).containsExactly("goes on");
    }

    /** Whatever the outcome: the transaction is not ended, nor autocommit touched, and each savepoint is released. */
    @Test
    void transaction_connectionOfTheCallers_isNeverCommittedOrRolledBack() throws SQLException {
        Locker locker = locker();
        try (Connection connection = DriverManager.getConnection(database.url())) {
            connection.setAutoCommit(false);
            NotedConnection noted = new NotedConnection(connection);
            DSLContext dsl = DSL.using(noted.connection(), SQLDialect.POSTGRES);

            locker.exclusive(KEY)
                    .transaction(dsl, trx -> trx.dsl().transaction(nested -> enter(nested.dsl(), "entry")));
            assertThatThrownBy(() -> locker.exclusive(KEY).transaction(dsl, trx -> {
                        throw new IllegalStateException("undo");
                    }))
                    .hasMessage("undo");

            assertThat(noted.calls())
                    .doesNotContain("commit()", "rollback()", "setAutoCommit", "close()", "setTransactionIsolation");
            assertThat(noted.calls()).filteredOn("setSavepoint()"::equals).hasSize(3);
            assertThat(noted.calls()).filteredOn("releaseSavepoint"::equals).hasSize(3);
            connection.rollback();
        }
        assertThat(ledger(observer)).isEmpty();
    }

    // ---- elsewhere ----

    /** Where there is no transaction, though something has to do with one. */
    enum Elsewhere {
        DATA_SOURCE,
        CONNECTION,
        POOL_WITHOUT_AUTOCOMMIT,
        SPRING,
        SPRING_WITH_PROVIDER,
        THREAD_LOCAL;

        void run(TestDatabase database, Work work) throws SQLException {
            SpringTransactions spring = new SpringTransactions(database.dataSource());
            try (HikariDataSource pool = poolWithoutAutocommit(database);
                    Connection connection = DriverManager.getConnection(database.url())) {
                work.unchecked(
                        switch (this) {
                            case DATA_SOURCE -> Ambient.dsl(database);
                            case CONNECTION -> DSL.using(connection, SQLDialect.POSTGRES);
                            case POOL_WITHOUT_AUTOCOMMIT -> DSL.using(pool, SQLDialect.POSTGRES);
                            case SPRING -> spring.dsl();
                            case SPRING_WITH_PROVIDER -> spring.dslWithProvider();
                            case THREAD_LOCAL -> threadLocal(database.dataSource());
                        });
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Elsewhere.class)
    void transaction_noneIsAmbient_beginsAndEndsItsOwn(Elsewhere elsewhere) throws Exception {
        Locker locker = locker();
        elsewhere.run(database, dsl -> {
            locker.exclusive(KEY).transaction(dsl, trx -> {
                enter(trx.dsl(), "committed");
                TransactionLocks.in(trx).exclusive(INNER).acquire();
                assertThat(database.rowsOf(KEY))
                        .extracting(TestDatabase.AdvisoryRow::pid)
                        .doesNotContain(pid(trx.dsl()))
                        .hasSize(1);
                locker.exclusive(INNER).transaction(trx.dsl(), inner -> enter(inner.dsl(), "joined"));
                assertThat(ledger(observer)).isEmpty();
            });
            assertThat(ledger(observer)).containsExactly("committed", "joined");
            assertThat(database.advisoryRows()).isEmpty();

            assertThatThrownBy(() -> locker.exclusive(KEY).transaction(dsl, trx -> {
                        enter(trx.dsl(), "rolled back");
                        throw new IllegalStateException("undo");
                    }))
                    .hasMessage("undo");
            assertThat(ledger(observer)).containsExactly("committed", "joined");
            assertThat(database.advisoryRows()).isEmpty();
        });
    }

    /** Also where the transaction's isolation level would refuse a lock within. */
    @ParameterizedTest
    @ValueSource(strings = {"TRANSACTION_REPEATABLE_READ", "TRANSACTION_SERIALIZABLE"})
    void transaction_poolWithoutAutocommitThatKeepsSnapshots_beginsItsOwn(String isolation) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.url());
        config.setAutoCommit(false);
        config.setTransactionIsolation(isolation);
        config.setMaximumPoolSize(1);
        Locker locker = locker();
        try (HikariDataSource pool = new HikariDataSource(config)) {
            locker.exclusive(KEY)
                    .transaction(DSL.using(pool, SQLDialect.POSTGRES), trx -> enter(trx.dsl(), "committed"));
        }
        assertThat(ledger(observer)).containsExactly("committed");
    }

    // ---- helpers ----

    private static int pid(DSLContext dsl) {
        return dsl.fetchSingle("select pg_backend_pid()").into(Integer.class);
    }

    private static void enter(DSLContext dsl, String entry) {
        dsl.insertInto(LEDGER, ENTRY).values(entry).execute();
    }

    private static List<String> ledger(DSLContext dsl) {
        return dsl.select(ENTRY).from(LEDGER).fetch(ENTRY);
    }
}
