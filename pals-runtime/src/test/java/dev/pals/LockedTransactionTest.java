package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static dev.pals.db.jooq.pals.Tables.FENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.SQLDataType.INTEGER;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.jooq.AdvisoryLocks;
import dev.pals.jooq.FencingTokens;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.StaleFencingTokenException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.TransactionContext;
import org.jooq.TransactionListener;
import org.jooq.TransactionalRunnable;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Lock, begin, work, commit, unlock, in this order: what the holder before has committed is seen. */
final class LockedTransactionTest extends LockerFixture {
    private static final LockKey KEY = LockKey.of("locked-transaction", "counter");
    private static final LockKey OTHER = LockKey.of("locked-transaction", "other");

    private static final Table<?> COUNTER = table(name("public", "locked_transaction_counter"));
    private static final Field<Integer> VALUE = field(name("value"), INTEGER);

    private final DSLContext dsl;

    LockedTransactionTest(TestDatabase database) {
        super(database, "locked-transaction");
        dsl = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    }

    @BeforeEach
    void createCounter() {
        dsl.createTable(COUNTER).column(VALUE).execute();
        dsl.insertInto(COUNTER, VALUE).values(0).execute();
    }

    @AfterEach
    void dropCounter() {
        dsl.dropTable(COUNTER).execute();
        dsl.deleteFrom(FENCE).execute();
    }

    // ---- the order ----

    /** Whether the lock is held, at each step of the transaction. */
    private final class Steps implements TransactionListener {
        private final List<String> seen = new ArrayList<>();

        private void note(String step) {
            seen.add(step + (database.isHeld(KEY) ? " locked" : " free"));
        }

        @Override
        public void beginStart(TransactionContext context) {
            note("begin");
        }

        @Override
        public void beginEnd(TransactionContext context) {
            note("begun");
        }

        @Override
        public void commitStart(TransactionContext context) {
            note("commit");
        }

        @Override
        public void commitEnd(TransactionContext context) {
            note("committed");
        }

        @Override
        public void rollbackStart(TransactionContext context) {
            note("roll back");
        }

        @Override
        public void rollbackEnd(TransactionContext context) {
            note("rolled back");
        }

        DSLContext dsl() {
            return LockedTransactionTest.this
                    .dsl
                    .configuration()
                    .deriveAppending(this)
                    .dsl();
        }
    }

    @Test
    void transaction_commits_locksBeforeItBeginsAndUnlocksAfterwards() {
        Steps steps = new Steps();
        Locker locker = locker();

        locker.exclusive(KEY).transaction(steps.dsl(), trx -> steps.note("work"));

        steps.note("end");
        assertThat(steps.seen)
                .containsExactly(
                        "begin locked", "begun locked", "work locked", "commit locked", "committed locked", "end free");
    }

    @Test
    void transaction_bodyThrows_unlocksAfterTheRollback() {
        Steps steps = new Steps();
        Locker locker = locker();

        assertThatThrownBy(() -> locker.exclusive(KEY).transaction(steps.dsl(), trx -> {
                    throw new IllegalStateException("undo");
                }))
                .hasMessage("undo");

        steps.note("end");
        assertThat(steps.seen)
                .containsExactly("begin locked", "begun locked", "roll back locked", "rolled back locked", "end free");
    }

    /** The snapshot is taken after the lock, at the level that keeps it. */
    @Test
    void transaction_waitsForAnotherProgram_seesWhatThatHasCommitted() throws Exception {
        Locker here = locker();
        Locker there = locker();
        Future<Integer> next = there.exclusive(KEY).transactionResult(dsl, trx -> {
            Future<Integer> waiting = inBackground(() -> here.exclusive(KEY).transactionResult(dsl, later -> {
                later.dsl().execute("set transaction isolation level serializable");
                return valueIn(later);
            }));
            database.awaitWaiter(KEY);
            write(trx, 42);
            return waiting;
        });

        assertThat(next).succeedsWithin(PATIENCE).isEqualTo(42);
    }

    @Test
    void transaction_shared_runsBesideAnotherSharedOne() {
        Locker locker = locker();
        locker.shared(KEY)
                .transaction(
                        dsl,
                        trx -> locker.shared(KEY)
                                .transaction(
                                        dsl,
                                        other ->
                                                assertThat(database.isHeld(KEY)).isTrue()));
        assertThat(locker.exclusive(KEY).tryAcquire()).hasValueSatisfying(LockHandle::close);
    }

    @Test
    void transaction_severalKeysAndARenamedOne_holdsAll() {
        locker().exclusive(KEY, OTHER, RenamedLocks.INVOICE_CLOSE)
                .transaction(
                        dsl,
                        trx -> assertThat(List.of(
                                        KEY,
                                        OTHER,
                                        RenamedLocks.INVOICE_CLOSE,
                                        RenamedLocks.INVOICE_CLOSE.formerly().orElseThrow()))
                                .allMatch(database::isHeld));
    }

    @Test
    void transactionResult_commits_returnsWhatTheBodyReturns() {
        LockRequest request = locker().exclusive(KEY);

        String result = request.transactionResult(dsl, trx -> "result");
        assertThat(result).isEqualTo("result");
        Object nothing = request.<@Nullable Object>transactionResult(dsl, trx -> null);
        assertThat(nothing).isNull();
    }

    // ---- a counter ----

    @ParameterizedTest
    @CsvSource({
        "TRANSACTION_REPEATABLE_READ, 16, 200",
        "TRANSACTION_READ_COMMITTED, 8, 25",
        "TRANSACTION_SERIALIZABLE, 8, 25"
    })
    void transaction_manyThreadsCount_loseNoUpdate(String isolation, int threads, int increments) throws Exception {
        Locker locker = locker();
        try (HikariDataSource pool = pool(isolation)) {
            DSLContext counting = DSL.using(pool, SQLDialect.POSTGRES);
            inEachOf(threads, number -> {
                for (int i = 0; i < increments; i++) {
                    locker.exclusive(KEY).transaction(counting, trx -> write(trx, valueIn(trx) + 1));
                }
            });
        }
        assertThat(value()).isEqualTo(threads * increments);
    }

    /** The negative control: a lock that is taken within, when the snapshot is older than the lock is. */
    @Test
    void counter_lockAfterTheSnapshot_isASerializationFailure() throws Exception {
        try (HikariDataSource pool = pool("TRANSACTION_REPEATABLE_READ")) {
            DSLContext counting = DSL.using(pool, SQLDialect.POSTGRES);
            TransactionalRunnable increment = trx -> {
                trx.dsl().select(field(AdvisoryLocks.transactionLock(KEY))).fetch();
                write(trx, valueIn(trx) + 1);
            };
            Future<?> second = counting.transactionResult(trx -> {
                increment.run(trx);
                Future<?> waiting = inBackground(() -> {
                    counting.transaction(increment);
                    return true;
                });
                database.awaitWaiter(KEY);
                return waiting;
            });

            assertThat(second)
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOfSatisfying(
                            DataAccessException.class,
                            e -> assertThat(e.sqlState()).isEqualTo("40001"));
        }
        assertThat(value()).isEqualTo(1);
    }

    /** Two that have both read before one of them writes: what happens without any lock. */
    @Test
    void counter_noLockUnderRepeatableRead_isASerializationFailure() {
        assertThatThrownBy(() -> incrementTwiceAtTheSameTime("TRANSACTION_REPEATABLE_READ"))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        DataAccessException.class, e -> assertThat(e.sqlState()).isEqualTo("40001"));
    }

    @Test
    void counter_noLockUnderReadCommitted_losesAnUpdate() throws Exception {
        incrementTwiceAtTheSameTime("TRANSACTION_READ_COMMITTED");

        assertThat(value()).isEqualTo(1);
    }

    private void incrementTwiceAtTheSameTime(String isolation) throws Exception {
        CyclicBarrier bothHaveRead = new CyclicBarrier(2);
        try (HikariDataSource pool = pool(isolation)) {
            DSLContext counting = DSL.using(pool, SQLDialect.POSTGRES);
            inEachOf(
                    2,
                    number -> counting.transaction(trx -> {
                        int value = valueIn(trx);
                        bothHaveRead.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                        write(trx, value + 1);
                    }));
        }
    }

    private HikariDataSource pool(String isolation) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.url());
        config.setTransactionIsolation(isolation);
        config.setMaximumPoolSize(4);
        return new HikariDataSource(config);
    }

    // ---- failures ----

    @Test
    void transaction_bodyThrows_rollsBackAndFreesTheLock() {
        Locker locker = locker();

        assertThatThrownBy(() -> locker.exclusive(KEY).transaction(dsl, trx -> {
                    write(trx, 1);
                    throw new IllegalArgumentException("mine");
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("mine");
        assertThatThrownBy(() -> locker.exclusive(KEY).transactionResult(dsl, trx -> {
                    write(trx, 2);
                    throw new IOException("checked");
                }))
                .isInstanceOf(DataAccessException.class)
                .hasRootCauseInstanceOf(IOException.class);

        assertThat(value()).isZero();
        assertThat(database.isHeld(KEY)).isFalse();
        locker.exclusive(KEY).transaction(dsl, trx -> write(trx, 3));
        assertThat(value()).isEqualTo(3);
    }

    @Test
    void transaction_lockIsNotFree_timesOutBeforeItBegins() {
        AtomicBoolean begun = new AtomicBoolean();
        DSLContext watched = dsl.configuration()
                .deriveAppending(TransactionListener.onBeginStart(context -> begun.set(true)))
                .dsl();
        Locker locker = locker();
        try (LockHandle ignored = locker.exclusive(KEY).acquire()) {
            assertThatThrownBy(() -> locker.exclusive(KEY)
                            .waitAtMost(Duration.ofMillis(20))
                            .transaction(watched, trx -> write(trx, 1)))
                    .isInstanceOf(LockTimeoutException.class);
            assertThatThrownBy(() -> locker().exclusive(KEY)
                            .waitAtMost(Duration.ZERO)
                            .transaction(watched, trx -> write(trx, 1)))
                    .isInstanceOf(LockTimeoutException.class);
        }
        assertThat(begun).isFalse();
        assertThat(value()).isZero();
    }

    @Test
    void transaction_lockIsLostBeforeTheCommit_isRolledBackAndSaysSo() {
        Locker locker = locker();

        assertThatThrownBy(() -> locker.exclusive(KEY).transaction(dsl, trx -> {
                    write(trx, 1);
                    database.terminateHolder(KEY);
                }))
                .isInstanceOfSatisfying(
                        LockLostException.class, e -> assertThat(e.keys()).containsExactly(KEY))
                .hasMessageContainingAll(KEY.toString(), "The transaction was rolled back");

        assertThat(value()).isZero();
        locker.exclusive(KEY).transaction(dsl, trx -> write(trx, 2));
        assertThat(value()).isEqualTo(2);
    }

    @Test
    void transaction_lossIsKnownBeforeTheCommit_isRolledBackAndSaysSo() {
        CompletableFuture<LockLostException> known = new CompletableFuture<>();
        Locker locker = opened(builder().sessions(1));
        try (LockHandle beside = locker.shared(OTHER).acquire()) {
            beside.onLost(known::complete);
            assertThatThrownBy(() -> locker.exclusive(KEY).transaction(dsl, trx -> {
                        write(trx, 1);
                        database.terminateHolder(KEY);
                        known.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                    }))
                    .isInstanceOf(LockLostException.class)
                    .hasMessageContaining("The transaction was rolled back");
            assertThatThrownBy(beside::close).isInstanceOf(LockLostException.class);
        }
        assertThat(value()).isZero();
    }

    /** The body's own failure is what is thrown; that the lock was lost too comes along. */
    @Test
    void transaction_lockIsLostAndTheBodyThrows_throwsWhatTheBodyThrew() {
        assertThatThrownBy(() -> locker().exclusive(KEY).transaction(dsl, trx -> {
                    write(trx, 1);
                    database.terminateHolder(KEY);
                    throw new IllegalStateException("mine");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("mine")
                .satisfies(e -> assertThat(e.getSuppressed()).singleElement().isInstanceOf(LockLostException.class));
        assertThat(value()).isZero();
    }

    // ---- fenced ----

    @Test
    void fenced_tokenIsTheNewest_commitsAndHasShownIt() {
        Locker locker = opened(builder().fencingTokens());

        locker.exclusive(KEY).fenced().transaction(dsl, trx -> write(trx, 1));
        long shown = newest(KEY);
        locker.exclusive(KEY, OTHER).fenced().waitAtMost(PATIENCE).transaction(dsl, trx -> write(trx, 2));

        assertThat(value()).isEqualTo(2);
        assertThat(newest(KEY)).isGreaterThan(shown);
        assertThat(newest(OTHER)).isPositive();
    }

    @Test
    void transaction_notFenced_showsNoToken() {
        opened(builder().fencingTokens()).exclusive(KEY).transaction(dsl, trx -> write(trx, 1));

        assertThat(dsl.fetchCount(FENCE)).isZero();
    }

    /** Between the lock and the transaction the lock is lost, and the next holder has been there. */
    @Test
    void fenced_laterHolderHasShownItsToken_isRefusedAndTheBodyDoesNotRun() {
        Locker locker = opened(builder().fencingTokens());
        Locker next = opened(builder().fencingTokens());
        DSLContext overtaken = dsl.configuration()
                .deriveAppending(TransactionListener.onBeginStart(context -> {
                    database.terminateHolder(KEY);
                    next.exclusive(KEY).fenced().transaction(dsl, trx -> write(trx, 7));
                }))
                .dsl();
        AtomicBoolean ran = new AtomicBoolean();

        assertThatThrownBy(() -> locker.exclusive(KEY).fenced().transaction(overtaken, trx -> ran.set(true)))
                .isInstanceOfSatisfying(StaleFencingTokenException.class, e -> {
                    assertThat(e.key()).isEqualTo(KEY);
                    assertThat(e.token()).isLessThan(e.newest());
                });

        assertThat(ran).isFalse();
        assertThat(value()).isEqualTo(7);
    }

    @Test
    void fenced_lockerWithoutTokens_saysSoAndTheBodyDoesNotRun() {
        Locker locker = locker();
        AtomicBoolean ran = new AtomicBoolean();

        assertThatThrownBy(() -> locker.exclusive(KEY).fenced().transaction(dsl, trx -> ran.set(true)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll(KEY.toString(), "fencingTokens()");

        assertThat(ran).isFalse();
        assertThat(database.isHeld(KEY)).isFalse();
    }

    @Test
    void fenced_shared_saysSoAndTheBodyDoesNotRun() {
        Locker locker = opened(builder().fencingTokens());
        AtomicBoolean ran = new AtomicBoolean();

        assertThatThrownBy(() -> locker.shared(KEY).fenced().transaction(dsl, trx -> ran.set(true)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll(KEY.toString(), "shared");

        assertThat(ran).isFalse();
        assertThat(database.isHeld(KEY)).isFalse();
    }

    @Test
    void fenced_committed_refusesOlderTokensFromThenOn() {
        Locker locker = opened(builder().fencingTokens());

        locker.exclusive(KEY).fenced().transaction(dsl, trx -> write(trx, 1));
        long shown = newest(KEY);

        assertThatThrownBy(() -> dsl.transaction(trx -> FencingTokens.check(trx, KEY, shown - 1)))
                .isInstanceOf(StaleFencingTokenException.class);
    }

    // ---- confirm ----

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void confirm_held_returns(boolean exclusive) {
        Locker locker = locker();
        LockRequest request = exclusive ? locker.exclusive(KEY, OTHER) : locker.shared(KEY, OTHER);
        try (LockHandle lock = request.acquire()) {
            assertThatCode(lock::confirm).doesNotThrowAnyException();
            assertThatCode(lock::confirm).doesNotThrowAnyException();
            assertThat(lock.isHeld()).isTrue();
        }
    }

    /** The program is told of it a moment later: each round is over at once, so that most are before that. */
    @Test
    void confirm_lost_throwsWhileIsHeldStillSaysThatItIsHeld() {
        int saidHeld = 0;
        for (int round = 0; round < 20 && saidHeld == 0; round++) {
            Locker locker = locker();
            LockHandle lock = locker.exclusive(KEY).acquire();
            database.terminateHolder(KEY);

            boolean held = lock.isHeld();
            assertThatThrownBy(lock::confirm)
                    .isInstanceOf(LockLostException.class)
                    .hasMessageContaining(KEY.toString());
            saidHeld += held ? 1 : 0;

            assertThat(lock.isHeld()).isFalse();
            assertThatCode(lock::close).doesNotThrowAnyException();
        }
        assertThat(saidHeld).isOne();
    }

    @Test
    void confirm_lost_tellsTheListenersOnce() {
        CompletableFuture<LockLostException> told = new CompletableFuture<>();
        try (LockHandle lock = locker().exclusive(KEY).acquire()) {
            lock.onLost(loss -> assertThat(told.complete(loss)).isTrue());
            database.terminateHolder(KEY);

            assertThatThrownBy(lock::confirm).isInstanceOf(LockLostException.class);
            assertThat(told).succeedsWithin(PATIENCE);
        }
    }

    @Test
    void confirm_released_isAnIllegalState() {
        Locker locker = locker();
        LockHandle lock = locker.exclusive(KEY).acquire();
        lock.close();
        assertThatThrownBy(lock::confirm)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(KEY.toString());

        LockHandle another = locker.exclusive(KEY).acquire();
        locker.close();
        assertThatThrownBy(another::confirm).isInstanceOf(IllegalStateException.class);
    }

    // ---- helpers ----

    private static int valueIn(Configuration trx) {
        return trx.dsl().select(VALUE).from(COUNTER).fetchSingle().value1();
    }

    private static void write(Configuration trx, int value) {
        trx.dsl().update(COUNTER).set(VALUE, value).execute();
    }

    private int value() {
        return valueIn(dsl.configuration());
    }

    private long newest(LockKey key) {
        return dsl.fetchSingle(FENCE, FENCE.LOCK_HASH.eq(key.lockHash())).getToken();
    }
}
