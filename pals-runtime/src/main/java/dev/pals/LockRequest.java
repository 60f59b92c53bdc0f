package dev.pals;

import dev.pals.internal.gate.Gates;
import dev.pals.internal.gate.Gates.Outcome;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.WaitPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.Lock;
import org.jooq.DSLContext;
import org.jooq.TransactionalCallable;
import org.jooq.TransactionalRunnable;
import org.jspecify.annotations.Nullable;

/**
 * Which locks to take, and how to wait for them. Immutable and thread-safe; it can be used any number of times.
 *
 * <p>Requests of one locker for one key wait for each other in this program, first come, first served; the first of
 * them waits in PostgreSQL's queue. A lock that is released is handed to the next of this program without a round trip,
 * at most 64 times or 20 milliseconds in a row, so that other programs have their turn. A long wait in PostgreSQL's
 * queue is made of pieces of at most 10 seconds; with each the request stands behind those of other programs anew.
 *
 * <p>Every way to take the locks throws, besides what it names itself: {@link dev.pals.lock.LockDatabaseException} if
 * PostgreSQL fails, {@link dev.pals.lock.SessionUnavailableException} if no connection is to be had,
 * {@link dev.pals.lock.LockBudgetException} if the locker holds as many locks as it may,
 * {@link dev.pals.lock.LockInterruptedException} if the thread is interrupted before or while it waits, and
 * {@link dev.pals.lock.LockerClosedException}. No lock is held after any of them.
 */
public final class LockRequest {
    private final Gates gates;
    private final List<LockKey> keys;
    private final LockMode mode;
    private final WaitPolicy lockerWait;
    private final @Nullable WaitPolicy ownWait;
    private final boolean fenced;

    LockRequest(
            Gates gates,
            List<LockKey> keys,
            LockMode mode,
            WaitPolicy lockerWait,
            @Nullable WaitPolicy ownWait,
            boolean fenced) {
        this.gates = gates;
        this.keys = keys;
        this.mode = mode;
        this.lockerWait = lockerWait;
        this.ownWait = ownWait;
        this.fenced = fenced;
    }

    /**
     * Returns this request with a wait of its own, in PostgreSQL's queue; zero for a single try.
     *
     * @throws dev.pals.lock.InvalidWaitException if the limit is null or negative
     */
    public LockRequest waitAtMost(Duration limit) {
        return waiting(WaitPolicy.atMost(limit));
    }

    /** Returns this request with a way to wait of its own. */
    public LockRequest waiting(WaitPolicy policy) {
        return new LockRequest(gates, keys, mode, lockerWait, Objects.requireNonNull(policy, "policy"), fenced);
    }

    /**
     * Returns this request with its {@linkplain #transaction transactions} fenced: each begins by showing the fencing
     * token of its lock, and is refused if a later holder has shown one. The locker needs {@code fencingTokens()}. It
     * makes no difference to other ways to take the locks.
     *
     * @see dev.pals.jooq.FencingTokens#check(org.jooq.Configuration, LockHandle)
     */
    public LockRequest fenced() {
        return new LockRequest(gates, keys, mode, lockerWait, ownWait, true);
    }

    /**
     * Takes the locks, waiting as this request says, or else as the locker says: 30 seconds by default.
     *
     * <pre>{@code
     * try (LockHandle lock = locker.exclusive(KEY).waitAtMost(Duration.ofSeconds(5)).acquire()) {
     *     ...
     * }
     * }</pre>
     *
     * @throws LockTimeoutException if they were not granted in time; it tells the attempts and the time waited
     */
    public LockHandle acquire() {
        return acquire(ownWait == null ? lockerWait : ownWait);
    }

    /**
     * Takes the locks, waiting at most this long in this call.
     *
     * @throws LockTimeoutException if they were not granted in time; it tells the attempts and the time waited
     * @throws dev.pals.lock.InvalidWaitException if the limit is null or negative
     */
    public LockHandle acquire(Duration limit) {
        return acquire(WaitPolicy.atMost(limit));
    }

    private LockHandle acquire(WaitPolicy policy) {
        return orTimeout(policy, gates.acquire(keys, mode, policy));
    }

    private LockHandle orTimeout(WaitPolicy policy, Outcome outcome) {
        LockHandle handle = outcome.handle();
        if (handle == null) {
            throw new LockTimeoutException(keys, mode, policy, outcome.attempts(), outcome.waited());
        }
        return handle;
    }

    /**
     * Takes the locks as {@link #acquire()} does, while no thread waits: neither the caller's nor one of the library's.
     * The stage is completed with the handle, or exceptionally with what {@code acquire()} throws; whoever gets the
     * handle closes it. Cancelling {@link CompletionStage#toCompletableFuture()}, or completing it in any other way,
     * ends the request: no lock is held then, or it is released at once.
     *
     * <pre>{@code
     * locker.exclusive(KEY).acquireAsync().thenAcceptAsync(lock -> {
     *     try (lock) {
     *         ...
     *     }
     * });
     * }</pre>
     *
     * @throws dev.pals.lock.LockerClosedException if the locker is closed
     */
    public CompletionStage<LockHandle> acquireAsync() {
        WaitPolicy policy = ownWait == null ? lockerWait : ownWait;
        return gates.acquireAsync(keys, mode, policy, outcome -> orTimeout(policy, outcome));
    }

    /**
     * Takes the locks as {@link #tryAcquire()} does, and else as {@link #acquireAsync()}: a request that is to wait
     * says so itself, with {@link #waitAtMost} or {@link #waiting}.
     *
     * @throws dev.pals.lock.LockerClosedException if the locker is closed
     */
    public CompletionStage<Optional<LockHandle>> tryAcquireAsync() {
        WaitPolicy policy = ownWait == null ? WaitPolicy.none() : ownWait;
        return gates.acquireAsync(keys, mode, policy, outcome -> Optional.ofNullable(outcome.handle()));
    }

    /** Takes the locks, or returns empty if they are not free. Does not wait, unless this request itself says so. */
    public Optional<LockHandle> tryAcquire() {
        return tryAcquire(ownWait == null ? WaitPolicy.none() : ownWait);
    }

    /**
     * Takes the locks, or returns empty if they were not granted within this time.
     *
     * @throws dev.pals.lock.InvalidWaitException if the limit is null or negative
     */
    public Optional<LockHandle> tryAcquire(Duration limit) {
        return tryAcquire(WaitPolicy.atMost(limit));
    }

    private Optional<LockHandle> tryAcquire(WaitPolicy policy) {
        return Optional.ofNullable(gates.acquire(keys, mode, policy).handle());
    }

    /**
     * Takes the locks as {@link #acquire()} does, runs the body and releases them, also when the body throws.
     *
     * @throws X what the body throws
     * @throws LockTimeoutException if the locks were not granted in time; the body has not run
     */
    public <X extends Exception> void run(Body<X> body) throws X {
        Objects.requireNonNull(body, "body");
        try (LockHandle ignored = acquire()) {
            body.run();
        }
    }

    /**
     * Takes the locks as {@link #acquire()} does, and releases them when the body has returned its result or thrown.
     *
     * @throws X what the body throws
     * @throws LockTimeoutException if the locks were not granted in time; the body has not run
     */
    public <T extends @Nullable Object, X extends Exception> T call(Call<T, X> body) throws X {
        Objects.requireNonNull(body, "body");
        try (LockHandle ignored = acquire()) {
            return body.call();
        }
    }

    /**
     * Takes the locks as {@link #acquire()} does, begins a transaction, runs the body in it, commits, and releases the
     * locks, in this order: whoever takes them next sees what was committed, and the transaction sees what the holder
     * before has committed, at every isolation level. When the body throws, it rolls back.
     *
     * <pre>{@code
     * locker.exclusive(ACCOUNT.of(42L)).transaction(dsl, trx -> trx.dsl().update(ACCOUNTS)...);
     * }</pre>
     *
     * <p>Before the commit PostgreSQL is asked whether the sessions that have the locks live. So they are never lost
     * unnoticed, but for the moment until the commit; {@link #fenced()} closes that gap. Where the connection breaks
     * during the commit, nobody knows whether it was done, and the locks are released all the same.
     *
     * <p><b>Within a transaction</b>, of jOOQ, of Spring or of whoever has switched off autocommit, it joins: the body
     * runs in that transaction, within a savepoint, and the locks are {@linkplain dev.pals.jooq.TransactionLocks those
     * of that transaction}, which PostgreSQL frees when it ends. It is never committed or rolled back here. A wait
     * without a limit is limited by its {@code lock_timeout} then; it is in PostgreSQL's queue, whatever the policy,
     * and no interrupt ends it. The lock budget and listeners do not see these locks. Nor does PostgreSQL see a
     * deadlock between them and those of a locker: limits end it. A {@code begin} that was sent as SQL, with autocommit
     * on, is not recognised. Under REPEATABLE READ and SERIALIZABLE joining is refused.
     *
     * <p>The locker and the DSL must be of one database: advisory locks of two databases do not know each other.
     *
     * <p>Not reentrant: whoever asks for the same locks again within the body, of the locker or of the transaction,
     * waits for itself, since another session has them; with {@code TransactionLocks} and no limit that is for ever.
     *
     * <p>The transaction's connection is besides those of the locker: where both come from one pool, it must have
     * enough.
     *
     * @param dsl on which the transaction is begun; its settings and its transaction provider apply
     * @throws LockTimeoutException if the locks were not granted in time; the body has not run
     * @throws dev.pals.lock.LockLostException if the locks were lost before the commit, and the transaction was rolled
     *     back; or, where the exception came out of the release, right after it. The message says which
     * @throws org.jooq.exception.DataAccessException also if the body has hidden an error of PostgreSQL's, after which
     *     nothing can be committed (SQLSTATE 25P02)
     * @throws dev.pals.lock.StaleFencingTokenException if it is {@link #fenced()} and a later holder has shown its
     *     token
     * @throws dev.pals.lock.SnapshotBeforeLockException if it would join a transaction that is REPEATABLE READ or
     *     SERIALIZABLE
     * @throws IllegalStateException if it is {@link #fenced()} and would join a transaction, or the locker has no
     *     fencing tokens
     * @throws org.jooq.exception.DataAccessException what jOOQ throws, also around a checked exception of the body's
     */
    public void transaction(DSLContext dsl, TransactionalRunnable body) {
        Objects.requireNonNull(body, "body");
        transactionResult(dsl, trx -> {
            body.run(trx);
            return Optional.empty();
        });
    }

    /**
     * As {@link #transaction(DSLContext, TransactionalRunnable)}, and returns what the body returns, when it is
     * committed.
     */
    public <T extends @Nullable Object> T transactionResult(DSLContext dsl, TransactionalCallable<T> body) {
        Objects.requireNonNull(body, "body");
        WaitPolicy policy = ownWait == null ? lockerWait : ownWait;
        return new LockedTransaction(this, keys, mode, policy.limit(), fenced).result(dsl, body);
    }

    /**
     * Returns these locks as a {@link Lock}, for code that is written for one. Each call returns another: keep it, and
     * give it to all threads that share it. Thread-safe.
     *
     * <pre>{@code
     * Lock lock = locker.exclusive(KEY).asLock();
     * lock.lock();
     * try {
     *     ...
     * } finally {
     *     lock.unlock();
     * }
     * }</pre>
     *
     * <p>The waits are those of the methods, not of this request: {@code lock()} and {@code lockInterruptibly()} wait
     * for ever, {@code tryLock()} not at all. A thread that is interrupted in {@code lock()} waits on, at the end of
     * the queue. Where PostgreSQL or the locker fails, they throw as all requests do, and hold nothing.
     *
     * <p>It belongs to the thread that locked it: {@code unlock()} by another throws
     * {@link IllegalMonitorStateException}. It throws {@link dev.pals.lock.LockLostException} if the locks were lost
     * before; after that it can be locked again. Where a thread ends without unlocking, the locks are released some
     * time after a garbage collection.
     *
     * <p>Not reentrant: a second {@code lock()} or {@code lockInterruptibly()} by the thread that has it throws
     * {@link IllegalStateException}, and {@code tryLock} returns false at once. {@code newCondition()} throws
     * {@link UnsupportedOperationException}. With shared locks, several threads have it at a time.
     */
    public Lock asLock() {
        return new RequestLock(this);
    }

    /**
     * What runs while the locks are held.
     *
     * @param <X> what it may throw
     */
    @FunctionalInterface
    public interface Body<X extends Exception> {
        /** Runs it. */
        void run() throws X;
    }

    /**
     * What is computed while the locks are held.
     *
     * @param <T> the result's type
     * @param <X> what it may throw
     */
    @FunctionalInterface
    public interface Call<T extends @Nullable Object, X extends Exception> {
        /** Computes it. */
        T call() throws X;
    }

    @Override
    public String toString() {
        return mode + " " + keys + ", waiting " + (ownWait == null ? lockerWait : ownWait);
    }
}
