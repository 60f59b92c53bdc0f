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
import dev.pals.jooq.AdvisoryLocks;
import dev.pals.jooq.TransactionLockRequest;
import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockKey;
import dev.pals.lock.InvalidWaitException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.SnapshotBeforeLockException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.TransactionalRunnable;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Locks that belong to a jOOQ transaction: how they are taken, waited for, excluded and freed. */
final class TransactionLocksTest extends LockerFixture {
    /** In the order in which PALs takes them. */
    private static final List<LockKey> IN_ORDER = Stream.of("a", "b", "c")
            .map(id -> LockKey.of("transaction-locks", id))
            .sorted()
            .toList();

    private static final LockKey FIRST = IN_ORDER.get(0);
    private static final LockKey SECOND = IN_ORDER.get(1);
    private static final LockKey THIRD = IN_ORDER.get(2);
    private static final LockKey RENAMED = RenamedLocks.INVOICE_CLOSE;
    private static final LockKey FORMER = RENAMED.formerly().orElseThrow();

    private static final Duration SHORT = Duration.ofMillis(50);

    private static final Table<?> LEDGER = table(name("public", "transaction_locks_ledger"));
    private static final Field<String> ENTRY = field(name("entry"), VARCHAR);

    private final Statements statements = new Statements();
    private final DSLContext dsl;

    TransactionLocksTest(TestDatabase database) {
        super(database, "transaction-locks");
        dsl = DSL.using(statements.of(database.dataSource()), SQLDialect.POSTGRES);
    }

    @BeforeEach
    void createLedger() {
        dsl.createTable(LEDGER).column(ENTRY).execute();
    }

    @AfterEach
    void dropLedger() {
        dsl.dropTable(LEDGER).execute();
    }

    // ---- taken and freed ----

    @Test
    void acquire_inATransaction_isHeldUntilTheCommit() {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx).exclusive(FIRST).acquire();
            assertThat(modesOf(FIRST)).containsExactly("ExclusiveLock");
        });

        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void acquire_transactionRollsBack_isFreed() {
        assertThatThrownBy(() -> dsl.transaction(trx -> {
                    TransactionLocks.in(trx).exclusive(FIRST).acquire();
                    assertThat(database.isHeld(FIRST)).isTrue();
                    throw new IllegalStateException("undo");
                }))
                .hasMessage("undo");

        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void acquire_shared_isHeldSharedByTwoTransactions() {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx).shared(FIRST).acquire();
            dsl.transaction(other -> {
                TransactionLocks.in(other).shared(FIRST).acquire();
                assertThat(modesOf(FIRST)).containsExactly("ShareLock", "ShareLock");
            });
        });
    }

    @Test
    void acquire_again_isGrantedInEachModeAndFreedAtOnce() {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx).shared(FIRST).acquire();
            TransactionLocks.in(trx).exclusive(FIRST).acquire();
            assertThat(TransactionLocks.in(trx).exclusive(FIRST).tryAcquire()).isTrue();
            TransactionLocks.in(trx).shared(FIRST).acquire();
        });

        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void acquire_withTheDslOfTheTransaction_isTheSame() {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx.dsl()).exclusive(List.of(FIRST)).acquire();
            TransactionLocks.in(trx.dsl()).shared(List.of(SECOND)).acquire();
            assertThat(database.isHeld(FIRST)).isTrue();
            assertThat(database.isHeld(SECOND)).isTrue();
        });
    }

    @Test
    void acquire_transactionResult_isHeldWithinAndReturnsTheResult() {
        boolean held = dsl.transactionResult(trx -> {
            TransactionLocks.in(trx).exclusive(FIRST).acquire();
            return database.isHeld(FIRST);
        });

        assertThat(held).isTrue();
        assertThat(database.isHeld(FIRST)).isFalse();
    }

    @Test
    void acquire_transactionAsync_isHeldWithinAndFreedWhenTheStageIsComplete() {
        boolean held = dsl.transactionResultAsync(trx -> {
                    TransactionLocks.in(trx).exclusive(FIRST).acquire();
                    return database.isHeld(FIRST);
                })
                .toCompletableFuture()
                .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .join();
        assertThat(held).isTrue();
        assertThat(database.isHeld(FIRST)).isFalse();

        dsl.transactionAsync(
                        trx -> TransactionLocks.in(trx).exclusive(FIRST, SECOND).acquire())
                .toCompletableFuture()
                .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .join();
        assertThat(database.advisoryRows()).isEmpty();
    }

    // ---- several keys, and the round trips ----

    @ParameterizedTest
    @EnumSource(LockMode.class)
    void acquire_severalKeys_areTakenInOneRoundTrip(LockMode mode) {
        dsl.transaction(trx -> {
            statements.forget();
            request(trx, mode, THIRD, FIRST, SECOND, FIRST).acquire();
            assertThat(statements.executed()).hasSize(1);

            request(trx, mode, THIRD, FIRST, SECOND).waitAtMost(PATIENCE).acquire();
            assertThat(statements.executed()).hasSize(2);

            assertThat(request(trx, mode, THIRD).tryAcquire()).isTrue();
            assertThat(statements.executed()).hasSize(3);
            assertThat(IN_ORDER).allMatch(database::isHeld);
        });
    }

    /** Only PostgreSQL knows whether the next statement is of the same transaction. */
    @Test
    void acquire_connectionsOfAFramework_takesASecondRoundTripToAsk() throws SQLException {
        try (Connection connection = statements.of(database.dataSource()).getConnection()) {
            connection.setAutoCommit(false);
            DSLContext context = DSL.using(new FrameworkConnections(connection), SQLDialect.POSTGRES);
            statements.forget();

            TransactionLocks.in(context).exclusive(THIRD, FIRST).acquire();
            assertThat(statements.executed()).hasSize(2);
            assertThat(database.isHeld(FIRST)).isTrue();
            connection.commit();
        }
        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void acquire_firstOfSeveralIsNotFree_waitsWithoutTheOthers() throws Exception {
        Future<?> waiting;
        try (LockHandle ignored = locker().exclusive(FIRST).acquire()) {
            waiting = inTransaction(trx ->
                    TransactionLocks.in(trx).exclusive(SECOND, THIRD, FIRST).acquire());
            database.awaitWaiter(FIRST);
            assertThat(database.rowsOf(SECOND)).isEmpty();
            assertThat(database.rowsOf(THIRD)).isEmpty();
        }
        assertThat(waiting).succeedsWithin(PATIENCE);
    }

    @Test
    void acquire_lastOfSeveralIsNotFree_waitsWithTheOthersHeld() throws Exception {
        Future<?> waiting;
        try (LockHandle ignored = locker().exclusive(THIRD).acquire()) {
            waiting = inTransaction(trx ->
                    TransactionLocks.in(trx).exclusive(THIRD, SECOND, FIRST).acquire());
            database.awaitWaiter(THIRD);
            assertThat(database.isHeld(FIRST)).isTrue();
            assertThat(database.isHeld(SECOND)).isTrue();
        }
        assertThat(waiting).succeedsWithin(PATIENCE);
    }

    @Test
    void acquire_keysOfTwoTransactionsInOppositeOrders_doNotDeadlock() throws Exception {
        inEachOf(4, number -> {
            for (int i = 0; i < 25; i++) {
                dsl.transaction(trx -> request(
                                trx,
                                LockMode.EXCLUSIVE,
                                number % 2 == 0 ? FIRST : THIRD,
                                SECOND,
                                number % 2 == 0 ? THIRD : FIRST)
                        .acquire());
            }
        });
    }

    /** The negative control: it is the order that prevents it. */
    @Test
    void transactionLock_oneByOneInOppositeOrders_deadlocks() {
        CyclicBarrier bothHaveOne = new CyclicBarrier(2);

        assertThatThrownBy(() -> inEachOf(
                        2,
                        number -> dsl.transaction(trx -> {
                            trx.dsl().execute("set local deadlock_timeout = '10ms'");
                            rawLock(trx, number == 0 ? FIRST : SECOND);
                            bothHaveOne.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                            rawLock(trx, number == 0 ? SECOND : FIRST);
                        })))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        DataAccessException.class, e -> assertThat(e.sqlState()).isEqualTo("40P01"));
    }

    @ParameterizedTest
    @EnumSource(LockMode.class)
    void acquire_renamedKey_takesTheFormerOneToo(LockMode mode) {
        dsl.transaction(trx -> {
            statements.forget();
            request(trx, mode, RENAMED).acquire();
            assertThat(statements.executed()).hasSize(1);
            assertThat(database.isHeld(RENAMED)).isTrue();
            assertThat(database.isHeld(FORMER)).isTrue();
        });
        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void tryAcquire_formerKeyIsHeld_takesNeither() {
        try (LockHandle ignored = locker().exclusive(FORMER).acquire()) {
            dsl.transaction(trx -> {
                assertThat(TransactionLocks.in(trx).exclusive(RENAMED).tryAcquire())
                        .isFalse();
                assertThat(database.isHeld(RENAMED)).isFalse();
            });
        }
    }

    // ---- a Locker's locks and these ----

    @ParameterizedTest
    @CsvSource({"EXCLUSIVE, EXCLUSIVE", "EXCLUSIVE, SHARED", "SHARED, EXCLUSIVE", "SHARED, SHARED"})
    void tryAcquire_lockerHoldsIt_isGrantedIfBothAreShared(LockMode lockers, LockMode transactions) {
        boolean compatible = lockers == LockMode.SHARED && transactions == LockMode.SHARED;
        try (LockHandle ignored = request(locker(), lockers, FIRST).acquire()) {
            dsl.transaction(trx ->
                    assertThat(request(trx, transactions, FIRST).tryAcquire()).isEqualTo(compatible));
        }
    }

    @ParameterizedTest
    @CsvSource({"EXCLUSIVE, EXCLUSIVE", "EXCLUSIVE, SHARED", "SHARED, EXCLUSIVE", "SHARED, SHARED"})
    void tryAcquire_ofALockerWhileATransactionHoldsIt_isGrantedIfBothAreShared(
            LockMode lockers, LockMode transactions) {
        boolean compatible = lockers == LockMode.SHARED && transactions == LockMode.SHARED;
        Locker locker = locker();
        dsl.transaction(trx -> {
            request(trx, transactions, FIRST).acquire();
            Optional<LockHandle> granted = request(locker, lockers, FIRST).tryAcquire();
            granted.ifPresent(LockHandle::close);
            assertThat(granted.isPresent()).isEqualTo(compatible);
        });
        locker.exclusive(FIRST).tryAcquire().orElseThrow().close();
    }

    @Test
    void acquire_lockerReleasesIt_isGranted() throws Exception {
        Future<?> waiting;
        try (LockHandle ignored = locker().exclusive(FIRST).acquire()) {
            waiting = inTransaction(
                    trx -> TransactionLocks.in(trx).exclusive(FIRST).acquire());
            database.awaitWaiter(FIRST);
            assertThat(waiting).isNotDone();
        }
        assertThat(waiting).succeedsWithin(PATIENCE);
    }

    @Test
    void acquire_ofALockerWhileATransactionHoldsIt_isGrantedAfterTheCommitAndSeesIt() throws Exception {
        Locker locker = locker();
        Future<Integer> waiting = dsl.transactionResult(trx -> {
            TransactionLocks.in(trx).exclusive(FIRST).acquire();
            Future<Integer> next = inBackground(() -> locker.exclusive(FIRST).call(() -> dsl.fetchCount(LEDGER)));
            database.awaitWaiter(FIRST);
            enter(trx, "entry");
            return next;
        });
        assertThat(waiting).succeedsWithin(PATIENCE).isEqualTo(1);
    }

    // ---- tryAcquire ----

    @Test
    void tryAcquire_notFree_returnsFalseAndTheTransactionGoesOn() {
        try (LockHandle ignored = locker().exclusive(SECOND).acquire()) {
            dsl.transaction(trx -> {
                enter(trx, "before");
                assertThat(TransactionLocks.in(trx).exclusive(SECOND).tryAcquire())
                        .isFalse();
                assertThat(TransactionLocks.in(trx).shared(SECOND).tryAcquire()).isFalse();
                enter(trx, "after");
            });
        }
        assertThat(ledger()).containsExactly("before", "after");
    }

    @ParameterizedTest
    @EnumSource(LockMode.class)
    void tryAcquire_oneOfSeveralIsNotFree_takesNone(LockMode mode) {
        try (LockHandle ignored = locker().exclusive(SECOND).acquire()) {
            dsl.transaction(trx -> {
                enter(trx, "before");
                assertThat(request(trx, mode, FIRST, SECOND, THIRD).tryAcquire())
                        .isFalse();
                assertThat(request(trx, mode, FIRST, SECOND, THIRD)
                                .waitAtMost(SHORT)
                                .tryAcquire())
                        .isFalse();
                assertThat(database.isHeld(FIRST)).isFalse();
                assertThat(database.isHeld(THIRD)).isFalse();
                enter(trx, "after");
            });
        }
        assertThat(ledger()).containsExactly("before", "after");
    }

    @Test
    void tryAcquire_oneOfSeveralIsNotFree_keepsWhatWasHeldBefore() {
        try (LockHandle ignored = locker().exclusive(SECOND).acquire()) {
            dsl.transaction(trx -> {
                TransactionLocks.in(trx).exclusive(FIRST).acquire();
                assertThat(TransactionLocks.in(trx).exclusive(FIRST, SECOND).tryAcquire())
                        .isFalse();
                assertThat(TransactionLocks.in(trx)
                                .exclusive(FIRST, SECOND)
                                .waitAtMost(SHORT)
                                .tryAcquire())
                        .isFalse();
                assertThat(database.isHeld(FIRST)).isTrue();
            });
        }
    }

    @Test
    void tryAcquire_allAreFree_areHeldUntilTheTransactionEnds() {
        dsl.transaction(trx -> {
            assertThat(TransactionLocks.in(trx).exclusive(FIRST, SECOND).tryAcquire())
                    .isTrue();
            assertThat(TransactionLocks.in(trx)
                            .exclusive(THIRD)
                            .waitAtMost(SHORT)
                            .tryAcquire())
                    .isTrue();
            assertThat(IN_ORDER).allMatch(database::isHeld);
        });
        assertThat(database.advisoryRows()).isEmpty();
    }

    /** A savepoint that is left behind would nest whatever follows. */
    @Test
    void tryAcquire_anyOutcome_leavesNoSavepoint() throws SQLException {
        try (LockHandle ignored = locker().exclusive(SECOND).acquire();
                Connection connection = DriverManager.getConnection(database.url())) {
            connection.setAutoCommit(false);
            NotedConnection noted = new NotedConnection(connection);
            TransactionLocks locks = TransactionLocks.in(DSL.using(noted.connection()));

            assertThat(locks.exclusive(FIRST, THIRD).tryAcquire()).isTrue();
            assertThat(locks.exclusive(FIRST, SECOND).tryAcquire()).isFalse();
            assertThat(locks.exclusive(SECOND).waitAtMost(SHORT).tryAcquire()).isFalse();

            assertThat(noted.calls())
                    .filteredOn(call -> call.endsWith("Savepoint()"))
                    .hasSize(3);
            assertThat(noted.calls()).filteredOn("releaseSavepoint"::equals).hasSize(3);
            connection.rollback();
        }
    }

    /** The way back to the savepoint fails too then, and is not what is to be known. */
    @Test
    void tryAcquire_sessionEndsWhileItWaits_throwsWhatPostgresSaid() throws Exception {
        try (LockHandle ignored = locker().exclusive(SECOND).acquire()) {
            Future<?> waiting = inTransaction(trx -> TransactionLocks.in(trx)
                    .exclusive(FIRST, SECOND)
                    .waitAtMost(PATIENCE)
                    .tryAcquire());
            database.awaitWaiter(SECOND);
            database.terminateHolder(FIRST);

            assertThat(waiting)
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOfSatisfying(
                            DataAccessException.class,
                            e -> assertThat(e.sqlState()).isEqualTo("57P01"));
        }
    }

    // ---- limits ----

    @Test
    void acquire_limitHasPassed_abortsTheTransaction() {
        try (LockHandle ignored = locker().exclusive(FIRST).acquire()) {
            assertThatThrownBy(() -> dsl.transaction(trx -> {
                        enter(trx, "entry");
                        TransactionLockRequest request =
                                TransactionLocks.in(trx).exclusive(FIRST).waitAtMost(SHORT);
                        assertThatThrownBy(request::acquire)
                                .isInstanceOfSatisfying(LockTimeoutException.class, e -> {
                                    assertThat(e.keys()).containsExactly(FIRST);
                                    assertThat(e.attempts()).isEqualTo(1);
                                    assertThat(e.waited()).isGreaterThanOrEqualTo(SHORT);
                                })
                                .hasMessageContainingAll(FIRST.toString(), "exclusive", "PT0.05S");
                        enter(trx, "afterwards");
                    }))
                    .isInstanceOfSatisfying(
                            DataAccessException.class,
                            e -> assertThat(e.sqlState()).isEqualTo("25P02"));
        }
        assertThat(ledger()).isEmpty();
    }

    @Test
    void acquire_timedOutAndTheExceptionLeaves_rollsBack() {
        try (LockHandle ignored = locker().exclusive(SECOND).acquire()) {
            assertThatThrownBy(() -> dsl.transaction(trx -> {
                        enter(trx, "entry");
                        TransactionLocks.in(trx)
                                .exclusive(FIRST, SECOND)
                                .waitAtMost(SHORT)
                                .acquire();
                    }))
                    .isInstanceOf(LockTimeoutException.class);
            assertThat(database.isHeld(FIRST)).isFalse();
        }
        assertThat(ledger()).isEmpty();
    }

    @Test
    void acquire_timedOutUnderASavepoint_leavesTheRestUsable() {
        try (LockHandle ignored = locker().exclusive(SECOND).acquire()) {
            dsl.transaction(trx -> {
                enter(trx, "before");
                TransactionLocks.in(trx).exclusive(THIRD).acquire();
                assertThatThrownBy(() -> trx.dsl().transaction(nested -> {
                            enter(nested, "nested");
                            TransactionLocks.in(nested)
                                    .exclusive(FIRST, SECOND)
                                    .waitAtMost(SHORT)
                                    .acquire();
                        }))
                        .isInstanceOf(LockTimeoutException.class);
                assertThat(database.isHeld(FIRST)).isFalse();
                assertThat(database.isHeld(THIRD)).isTrue();
                enter(trx, "after");
            });
        }
        assertThat(ledger()).containsExactly("before", "after");
    }

    /**
     * PostgreSQL counts {@code lock_timeout} for each lock anew. The rival's wait for the second began before the
     * request's, and is longer than the limit of this, but shorter than the limit and the wait for the first together.
     */
    @Test
    void acquire_severalKeys_shareOneLimit() throws Exception {
        Duration limit = Duration.ofSeconds(2);
        Locker locker = locker();
        LockHandle first = locker.exclusive(FIRST).acquire();
        try (LockHandle ignored = locker.exclusive(SECOND).acquire()) {
            Future<?> rival = inTransaction(trx -> {
                trx.dsl().execute("set local lock_timeout = '3s'");
                rawLock(trx, SECOND);
            });
            database.awaitWaiter(SECOND);
            Future<?> request = inTransaction(trx -> TransactionLocks.in(trx)
                    .exclusive(FIRST, SECOND)
                    .waitAtMost(limit)
                    .acquire());
            database.awaitWaiter(FIRST);
            Future<?> halfOfTheLimit = inTransaction(trx -> {
                trx.dsl().execute("set local lock_timeout = '1100ms'");
                rawLock(trx, FIRST);
            });
            assertThat(halfOfTheLimit).failsWithin(PATIENCE);
            first.close();

            assertThat(request)
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOfSatisfying(
                            LockTimeoutException.class,
                            e -> assertThat(e.waited()).isGreaterThanOrEqualTo(limit));
            assertThat(rival).isNotDone();
            assertThat(rival).failsWithin(PATIENCE);
        } finally {
            first.close();
        }
    }

    @Test
    void acquire_limitIsEnough_isGranted() throws Exception {
        Future<?> waiting;
        try (LockHandle ignored = locker().shared(List.of(FIRST, SECOND)).acquire()) {
            waiting = inTransaction(trx -> TransactionLocks.in(trx)
                    .exclusive(FIRST, SECOND)
                    .waitAtMost(PATIENCE)
                    .acquire());
            database.awaitWaiter(FIRST);
        }
        assertThat(waiting).succeedsWithin(PATIENCE);
    }

    @Test
    void acquire_noLimit_endsWithTheCallersLockTimeout() {
        try (LockHandle ignored = locker().exclusive(FIRST).acquire()) {
            assertThatThrownBy(() -> dsl.transaction(trx -> {
                        trx.dsl().execute("set local lock_timeout = '20ms'");
                        TransactionLocks.in(trx).exclusive(FIRST).acquire();
                    }))
                    .isInstanceOf(LockTimeoutException.class)
                    .hasMessageContainingAll(FIRST.toString(), "lock_timeout");
        }
    }

    /** Zero would be no limit at all for PostgreSQL. */
    @Test
    void acquire_limitOfZero_isASingleTryAndAbortsNothing() {
        try (LockHandle ignored = locker().exclusive(SECOND).acquire()) {
            dsl.transaction(trx -> {
                enter(trx, "before");
                TransactionLocks locks = TransactionLocks.in(trx);
                TransactionLockRequest one = locks.exclusive(SECOND).waitAtMost(Duration.ZERO);
                TransactionLockRequest two = locks.exclusive(FIRST, SECOND).waitAtMost(Duration.ZERO);

                assertThatThrownBy(one::acquire).isInstanceOf(LockTimeoutException.class);
                assertThatThrownBy(two::acquire).isInstanceOf(LockTimeoutException.class);
                assertThat(one.tryAcquire()).isFalse();
                assertThat(two.tryAcquire()).isFalse();
                assertThat(database.isHeld(FIRST)).isFalse();
                locks.exclusive(FIRST, THIRD).waitAtMost(Duration.ZERO).acquire();
                assertThat(database.isHeld(FIRST)).isTrue();
                assertThat(database.isHeld(THIRD)).isTrue();
                enter(trx, "after");
            });
        }
        assertThat(ledger()).containsExactly("before", "after");
    }

    /** Rounded down it would be zero: no limit. */
    @Test
    void acquire_limitBelowAMillisecond_isALimit() {
        try (LockHandle ignored = locker().exclusive(FIRST).acquire()) {
            dsl.transaction(trx -> assertThat(TransactionLocks.in(trx)
                            .exclusive(FIRST)
                            .waitAtMost(Duration.ofNanos(1))
                            .tryAcquire())
                    .isFalse());
        }
    }

    @Test
    void acquire_limitLongerThanPostgresTakes_isGranted() {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx)
                    .exclusive(FIRST)
                    .waitAtMost(Duration.ofSeconds(Long.MAX_VALUE))
                    .acquire();
            TransactionLocks.in(trx)
                    .exclusive(SECOND)
                    .waitAtMost(Duration.ofDays(25))
                    .acquire();
            assertThat(database.isHeld(SECOND)).isTrue();
        });
    }

    @Test
    @SuppressWarnings("NullAway")
    void waitAtMost_negativeOrNull_isRefused() {
        TransactionLockRequest request = TransactionLocks.in(dsl).exclusive(FIRST);

        assertThatThrownBy(() -> request.waitAtMost(Duration.ofNanos(-1))).isInstanceOf(InvalidWaitException.class);
        assertThatThrownBy(() -> request.waitAtMost(null)).isInstanceOf(InvalidWaitException.class);
    }

    @Test
    void request_noKeys_isRefused() {
        TransactionLocks locks = TransactionLocks.in(dsl);

        assertThatThrownBy(() -> locks.exclusive(List.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> locks.shared(List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void request_toString_tellsWhatItIs() {
        TransactionLocks locks = TransactionLocks.in(dsl);

        assertThat(locks.exclusive(FIRST)).asString().contains("EXCLUSIVE", FIRST.toString(), "lock_timeout");
        assertThat(locks.shared(FIRST).waitAtMost(SHORT)).asString().contains("SHARED", "at most PT0.05S");
    }

    // ---- savepoints ----

    @Test
    void acquire_inANestedTransactionThatRollsBack_isFreedThere() {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx).exclusive(FIRST).acquire();
            assertThatThrownBy(() -> trx.dsl().transaction(nested -> {
                        TransactionLocks.in(nested).exclusive(FIRST, SECOND).acquire();
                        assertThat(database.isHeld(SECOND)).isTrue();
                        throw new IllegalStateException("undo");
                    }))
                    .hasMessage("undo");
            assertThat(database.isHeld(SECOND)).isFalse();
            assertThat(database.isHeld(FIRST)).isTrue();
        });
        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void acquire_inANestedTransactionThatCommits_isHeldUntilTheOuterEnds() {
        dsl.transaction(trx -> {
            trx.dsl()
                    .transaction(nested ->
                            TransactionLocks.in(nested).exclusive(FIRST).acquire());
            assertThat(database.isHeld(FIRST)).isTrue();
        });
        assertThat(database.isHeld(FIRST)).isFalse();
    }

    @Test
    void acquire_nestedCommitsWithinOneThatRollsBack_isFreedWithThat() {
        dsl.transaction(trx -> {
            assertThatThrownBy(() -> trx.dsl().transaction(middle -> {
                        middle.dsl()
                                .transaction(inner -> TransactionLocks.in(inner)
                                        .exclusive(FIRST)
                                        .acquire());
                        assertThat(database.isHeld(FIRST)).isTrue();
                        throw new IllegalStateException("undo");
                    }))
                    .hasMessage("undo");
            assertThat(database.isHeld(FIRST)).isFalse();
        });
    }

    // ---- outside of a transaction ----

    @Test
    void acquire_autocommit_isRefusedAndNothingIsLocked() throws SQLException {
        assertIsRefusedOutsideOfATransaction(dsl);
        try (Connection connection = DriverManager.getConnection(database.url())) {
            assertIsRefusedOutsideOfATransaction(DSL.using(connection));
        }
    }

    @Test
    void acquire_withTheDslOnWhichTheTransactionWasBegun_isRefused() {
        assertThatThrownBy(() -> dsl.transaction(trx -> {
                    enter(trx, "entry");
                    TransactionLocks.in(dsl).exclusive(FIRST).acquire();
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(ledger()).isEmpty();
    }

    /** Such a pool looks like a transaction, and rolls back what a statement did when it takes its connection back. */
    @Test
    void acquire_poolWithoutAutocommit_isGrantedWithinATransactionOnly() {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.url());
        config.setAutoCommit(false);
        config.setMaximumPoolSize(1);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            DSLContext pooled = DSL.using(pool, SQLDialect.POSTGRES);

            assertIsRefusedOutsideOfATransaction(pooled);
            pooled.transaction(trx -> {
                TransactionLocks.in(trx).exclusive(FIRST).acquire();
                assertThat(database.isHeld(FIRST)).isTrue();
            });
        }
    }

    private void assertIsRefusedOutsideOfATransaction(DSLContext context) {
        TransactionLocks locks = TransactionLocks.in(context);
        for (TransactionLockRequest request : List.of(
                locks.exclusive(FIRST),
                locks.shared(FIRST, SECOND),
                locks.exclusive(FIRST).waitAtMost(SHORT),
                locks.exclusive(FIRST, SECOND).waitAtMost(Duration.ZERO))) {
            for (Consumer<TransactionLockRequest> way : List.<Consumer<TransactionLockRequest>>of(
                    TransactionLockRequest::acquire, TransactionLockRequest::tryAcquire)) {
                assertThatThrownBy(() -> way.accept(request))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContainingAll(FIRST.toString(), "outside of a transaction", "dsl.transaction");
                assertThat(database.advisoryRows()).isEmpty();
            }
        }
    }

    // ---- isolation levels ----

    @ParameterizedTest
    @ValueSource(strings = {"repeatable read", "serializable"})
    void acquire_snapshotIsOlderThanTheLock_isRefusedAndNothingIsLocked(String isolation) {
        dsl.transaction(trx -> {
            trx.dsl().execute("set transaction isolation level " + isolation);
            TransactionLocks locks = TransactionLocks.in(trx);
            for (TransactionLockRequest request : List.of(
                    locks.exclusive(FIRST),
                    locks.shared(SECOND, FIRST),
                    locks.exclusive(FIRST, SECOND).waitAtMost(PATIENCE),
                    locks.exclusive(FIRST, SECOND).waitAtMost(Duration.ZERO))) {
                for (Consumer<TransactionLockRequest> way : List.<Consumer<TransactionLockRequest>>of(
                        TransactionLockRequest::acquire, TransactionLockRequest::tryAcquire)) {
                    assertThatThrownBy(() -> way.accept(request))
                            .isInstanceOf(SnapshotBeforeLockException.class)
                            .hasMessageContainingAll(
                                    isolation.toUpperCase(Locale.ROOT),
                                    FIRST.toString(),
                                    "locker.exclusive(key).transaction(dsl, trx -> ...)");
                    assertThat(database.advisoryRows()).isEmpty();
                }
            }
            enter(trx, "goes on");
        });
        assertThat(ledger()).containsExactly("goes on");
    }

    /** It is refused at once, rather than when the lock has been waited for. */
    @Test
    void acquire_snapshotIsOlderAndTheLockIsNotFree_doesNotWait() {
        try (LockHandle ignored = locker().exclusive(FIRST).acquire()) {
            assertThatThrownBy(() -> dsl.transaction(trx -> {
                        trx.dsl().execute("set transaction isolation level serializable");
                        trx.dsl().execute("set local lock_timeout = '1s'");
                        TransactionLocks.in(trx).exclusive(FIRST).acquire();
                    }))
                    .isInstanceOf(SnapshotBeforeLockException.class);
        }
    }

    @Test
    void acquire_readUncommitted_isGranted() {
        dsl.transaction(trx -> {
            trx.dsl().execute("set transaction isolation level read uncommitted");
            TransactionLocks.in(trx).exclusive(FIRST).acquire();
            assertThat(database.isHeld(FIRST)).isTrue();
        });
    }

    /** What the refusal of the other levels is for: here each statement sees what was committed before it. */
    @Test
    void acquire_readCommitted_seesWhatTheHolderBeforeHasCommitted() throws Exception {
        Future<List<String>> waiting = dsl.transactionResult(trx -> {
            TransactionLocks.in(trx).exclusive(FIRST).acquire();
            Future<List<String>> next = inBackground(() -> dsl.transactionResult(later -> {
                TransactionLocks.in(later).exclusive(FIRST).acquire();
                return later.dsl().select(ENTRY).from(LEDGER).fetch(ENTRY);
            }));
            database.awaitWaiter(FIRST);
            enter(trx, "entry");
            return next;
        });
        assertThat(waiting).succeedsWithin(PATIENCE).isEqualTo(List.of("entry"));
    }

    // ---- helpers ----

    private Future<?> inTransaction(TransactionalRunnable work) {
        return inBackground(() -> {
            dsl.transaction(work);
            return true;
        });
    }

    private static TransactionLockRequest request(Configuration trx, LockMode mode, LockKey key, LockKey... more) {
        TransactionLocks locks = TransactionLocks.in(trx);
        return mode == LockMode.SHARED ? locks.shared(key, more) : locks.exclusive(key, more);
    }

    private static LockRequest request(Locker locker, LockMode mode, LockKey key) {
        return mode == LockMode.SHARED ? locker.shared(key) : locker.exclusive(key);
    }

    private static void rawLock(Configuration trx, LockKey key) {
        trx.dsl().select(field(AdvisoryLocks.transactionLock(key))).fetch();
    }

    private List<String> modesOf(LockKey key) {
        return database.rowsOf(key).stream().map(TestDatabase.AdvisoryRow::mode).toList();
    }

    private static void enter(Configuration trx, String entry) {
        trx.dsl().insertInto(LEDGER, ENTRY).values(entry).execute();
    }

    private List<String> ledger() {
        return dsl.select(ENTRY).from(LEDGER).fetch(ENTRY);
    }
}
