package dev.pals.jooq;

import dev.pals.internal.sql.LockOrder;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.TableField;

/**
 * Locks that belong to a transaction of the caller's, of jOOQ or of anything else that jOOQ works within: PostgreSQL
 * frees them when it commits or rolls back, with nothing to close and no connection besides the transaction's own.
 *
 * <pre>{@code
 * dsl.transaction(trx -> {
 *     TransactionLocks.in(trx).exclusive(ACCOUNT.of(42L)).acquire();
 *     trx.dsl().update(ACCOUNTS)...
 * });
 * }</pre>
 *
 * <p>They exclude, and are excluded by, those that a {@link dev.pals.Locker} takes. Whoever has one may take it again
 * in the same transaction, also exclusively where it has it shared.
 *
 * <p>Rolling back to a savepoint frees what was taken after it: so jOOQ's nested transaction frees its locks when it
 * fails, and leaves them to the outer one when it succeeds.
 *
 * <p>Under REPEATABLE READ and SERIALIZABLE they are refused: what the transaction sees is older than the lock. There,
 * and wherever the lock is to be had before the transaction begins, use {@code locker.exclusive(key).transaction(dsl,
 * ...)}.
 *
 * <p>Nothing but the transaction is needed: no {@code Locker}, no schema {@code pals}, and a pooler such as PgBouncer
 * may be in transaction mode. Of jOOQ's settings, those of the statement's type and its time limit apply; execute
 * listeners are called. A PALs lock listener is not.
 *
 * <p>Immutable, and as thread-safe as the transaction's configuration.
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory locks</a>
 */
public final class TransactionLocks {
    private final Configuration transaction;

    private TransactionLocks(Configuration transaction) {
        this.transaction = transaction;
    }

    /**
     * The locks of a transaction. No round trip.
     *
     * @param transaction the configuration of the transaction, not the one on which it was begun
     */
    public static TransactionLocks in(Configuration transaction) {
        return new TransactionLocks(Objects.requireNonNull(transaction, "transaction"));
    }

    /**
     * The locks of a transaction. No round trip.
     *
     * @param transaction the DSL of the transaction, not the one on which it was begun
     */
    public static TransactionLocks in(DSLContext transaction) {
        return in(transaction.configuration());
    }

    /**
     * Starts a request for locks that tolerate no other holder. Several keys are taken all or none, in one order
     * everywhere; so are a key and its {@linkplain LockKey#formerly() former} one.
     */
    public TransactionLockRequest exclusive(LockKey key, LockKey... more) {
        return request(LockMode.EXCLUSIVE, listOf(key, more));
    }

    /**
     * As {@link #exclusive(LockKey, LockKey...)}.
     *
     * @throws IllegalArgumentException if there is no key
     */
    public TransactionLockRequest exclusive(Collection<LockKey> keys) {
        return request(LockMode.EXCLUSIVE, keys);
    }

    /**
     * Starts a request for locks that tolerate other shared holders. Several keys are taken all or none, in one order
     * everywhere; so are a key and its {@linkplain LockKey#formerly() former} one.
     */
    public TransactionLockRequest shared(LockKey key, LockKey... more) {
        return request(LockMode.SHARED, listOf(key, more));
    }

    /**
     * As {@link #shared(LockKey, LockKey...)}.
     *
     * @throws IllegalArgumentException if there is no key
     */
    public TransactionLockRequest shared(Collection<LockKey> keys) {
        return request(LockMode.SHARED, keys);
    }

    private TransactionLockRequest request(LockMode mode, Collection<LockKey> keys) {
        return new TransactionLockRequest(transaction, LockOrder.of(keys), mode, null);
    }

    private static List<LockKey> listOf(LockKey key, LockKey... more) {
        return Stream.concat(Stream.of(key), Stream.of(more)).toList();
    }

    /**
     * Starts to claim rows of a table, each by the lock of its id: those that no other transaction has, for instance
     * the next jobs of a queue.
     *
     * <pre>{@code
     * Result<JobRecord> mine = TransactionLocks.in(trx)
     *         .claim(JobLockKeys.JOBS, JOB.ID)
     *         .where(JOB.DONE.isFalse())
     *         .orderBy(JOB.ID)
     *         .fetch(10);
     * }</pre>
     *
     * @param id the column with the ids of the family; each row has its own
     * @throws IllegalArgumentException if the family has a former name, whose keys one statement cannot take too
     */
    public <R extends Record, T extends Number> RowClaim<R> claim(
            LockFamily<T> family, TableField<R, ? extends Number> id) {
        return RowClaim.of(transaction, family, id);
    }
}
