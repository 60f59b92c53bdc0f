package dev.pals.jooq;

import static org.jooq.impl.DSL.condition;
import static org.jooq.impl.DSL.when;

import dev.pals.db.jooq.pg_catalog.Routines;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryLock1;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryLock2;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryLockShared1;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryLockShared2;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryUnlockAll;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryXactLock1;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryXactLock2;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryXactLockShared1;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryXactLockShared2;
import dev.pals.internal.sql.VoidFunction;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.Set;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;

/**
 * Every advisory-lock function of PostgreSQL as a condition of jOOQ's DSL, and the keys of locks as fields: for
 * statements that lock, or look, in the database itself. A condition is a field too, so it may stand in
 * {@code select(...)}.
 *
 * <p><b>In a {@code where} they are raw.</b> PostgreSQL is free in when it evaluates a condition, and for which rows:
 * before the other conditions, for all rows before it sorts and takes the first, more than once, or not at all. This
 * locks jobs that it does not return, where the rows are sorted after they are found:
 *
 * <pre>{@code
 * trx.dsl().selectFrom(JOB).where(JOB.DONE.isFalse())
 *         .and(AdvisoryLocks.tryTransactionLock(AdvisoryLocks.key(JobLockKeys.JOBS, JOB.ID)))
 *         .orderBy(JOB.PRIORITY).limit(1)
 * }</pre>
 *
 * <p>And what it returns may be out of date: another transaction may have done the job, committed, and freed its lock
 * after the statement began. {@link TransactionLocks#claim} is the safe form of this statement.
 *
 * <p>Session-level locks stay with the connection: through a pool the next borrower has them, and through a pooler such
 * as PgBouncer in transaction mode anybody. A {@link dev.pals.Locker} keeps them on sessions of its own.
 *
 * <p>Stateless and thread-safe.
 *
 * @see <a href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS">Advisory lock
 *     functions</a>
 */
public final class AdvisoryLocks {
    private static final Set<Class<?>> FRACTIONS = Set.of(BigDecimal.class, Double.class, Float.class);

    private AdvisoryLocks() {}

    /**
     * The key of the lock whose id is in a column: the number that {@link LockFamily#of} gives for it, computed in SQL.
     *
     * <pre>{@code
     * dsl.select(JOB.ID, AdvisoryLocks.key(JobLockKeys.JOBS, JOB.ID)).from(JOB)
     * }</pre>
     *
     * <p>It is null where the id is null. PostgreSQL raises SQLSTATE 22003 (numeric value out of range) where the id is
     * not between -{@link LockFamily#ID_LIMIT} and {@link LockFamily#ID_LIMIT}, both excluded.
     *
     * @throws IllegalArgumentException if the family has a former name, whose keys a single field cannot take too; or
     *     if the field is of a type with fractions
     */
    public static <T extends Number> Field<Long> key(LockFamily<T> family, Field<? extends Number> id) {
        refuseFormer(family, family.formerly());
        if (FRACTIONS.contains(id.getType())) {
            throw new IllegalArgumentException(
                    "The ids of " + family + " come from " + id + " of type " + id.getDataType()
                            + ", which has fractions: two ids could be one lock. Use an integer column, or cast it yourself.");
        }
        Field<Long> number = id.cast(SQLDataType.BIGINT);
        // In range it is the number itself; beyond, the sum overflows and so raises the error.
        Field<Long> checked = when(number.between(-LockFamily.ID_LIMIT + 1, LockFamily.ID_LIMIT - 1), number)
                .when(number.gt(0L), number.add(Long.MAX_VALUE))
                .otherwise(number.add(Long.MIN_VALUE));
        return DSL.val(family.familyHash(), SQLDataType.BIGINT).bitXor(checked);
    }

    /**
     * The key of a lock: its number.
     *
     * @throws IllegalArgumentException if it has a former name, whose key a single field cannot be too
     */
    public static Field<Long> key(LockKey key) {
        refuseFormer(key, key.formerly());
        return DSL.val(key.lockHash(), SQLDataType.BIGINT);
    }

    private static void refuseFormer(Object renamed, Optional<?> former) {
        former.ifPresent(name -> {
            throw new IllegalArgumentException("The lock " + renamed + " was formerly " + name
                    + ", and a field holds one key only: take it through a Locker or TransactionLocks, which take both,"
                    + " until formerly is removed.");
        });
    }

    /**
     * Waits for the session-level exclusive lock, and is true then: {@code pg_advisory_lock}. It stays with the
     * connection, through commit and rollback, and counts: as often as it was taken it must be {@linkplain #unlock
     * freed}.
     *
     * @throws IllegalArgumentException if the key has a former name: a condition takes one lock only
     */
    public static Condition lock(LockKey key) {
        return lock(key(key));
    }

    /** As {@link #lock(LockKey)}, with a key from {@link #key(LockFamily, Field)} or any other number. */
    public static Condition lock(Field<Long> key) {
        return condition(VoidFunction.granted(new PgAdvisoryLock1(), key));
    }

    /** As {@link #lock(LockKey)}, in PostgreSQL's key space of two integers, which no {@code LockKey} is in. */
    public static Condition lock(Field<Integer> first, Field<Integer> second) {
        return condition(VoidFunction.granted(new PgAdvisoryLock2(), first, second));
    }

    /**
     * Waits for the session-level shared lock, and is true then: {@code pg_advisory_lock_shared}.
     *
     * @throws IllegalArgumentException if the key has a former name: a condition takes one lock only
     */
    public static Condition lockShared(LockKey key) {
        return lockShared(key(key));
    }

    /** As {@link #lockShared(LockKey)}, with a key from {@link #key(LockFamily, Field)} or any other number. */
    public static Condition lockShared(Field<Long> key) {
        return condition(VoidFunction.granted(new PgAdvisoryLockShared1(), key));
    }

    /** As {@link #lockShared(LockKey)}, in PostgreSQL's key space of two integers, which no {@code LockKey} is in. */
    public static Condition lockShared(Field<Integer> first, Field<Integer> second) {
        return condition(VoidFunction.granted(new PgAdvisoryLockShared2(), first, second));
    }

    /**
     * Whether the session-level exclusive lock was free, and is taken now: {@code pg_try_advisory_lock}.
     *
     * @throws IllegalArgumentException if the key has a former name: a condition takes one lock only
     */
    public static Condition tryLock(LockKey key) {
        return tryLock(key(key));
    }

    /** As {@link #tryLock(LockKey)}, with a key from {@link #key(LockFamily, Field)} or any other number. */
    public static Condition tryLock(Field<Long> key) {
        return condition(Routines.pgTryAdvisoryLock1(key));
    }

    /** As {@link #tryLock(LockKey)}, in PostgreSQL's key space of two integers, which no {@code LockKey} is in. */
    public static Condition tryLock(Field<Integer> first, Field<Integer> second) {
        return condition(Routines.pgTryAdvisoryLock2(first, second));
    }

    /**
     * Whether the session-level shared lock could be had, and is taken now: {@code pg_try_advisory_lock_shared}.
     *
     * @throws IllegalArgumentException if the key has a former name: a condition takes one lock only
     */
    public static Condition tryLockShared(LockKey key) {
        return tryLockShared(key(key));
    }

    /** As {@link #tryLockShared(LockKey)}, with a key from {@link #key(LockFamily, Field)} or any other number. */
    public static Condition tryLockShared(Field<Long> key) {
        return condition(Routines.pgTryAdvisoryLockShared1(key));
    }

    /**
     * As {@link #tryLockShared(LockKey)}, in PostgreSQL's key space of two integers, which no {@code LockKey} is in.
     */
    public static Condition tryLockShared(Field<Integer> first, Field<Integer> second) {
        return condition(Routines.pgTryAdvisoryLockShared2(first, second));
    }

    /**
     * Frees the session-level exclusive lock once: {@code pg_advisory_unlock}. False, with a warning, if the session
     * does not have it.
     *
     * @throws IllegalArgumentException if the key has a former name: a condition takes one lock only
     */
    public static Condition unlock(LockKey key) {
        return unlock(key(key));
    }

    /** As {@link #unlock(LockKey)}, with a key from {@link #key(LockFamily, Field)} or any other number. */
    public static Condition unlock(Field<Long> key) {
        return condition(Routines.pgAdvisoryUnlock1(key));
    }

    /** As {@link #unlock(LockKey)}, in PostgreSQL's key space of two integers, which no {@code LockKey} is in. */
    public static Condition unlock(Field<Integer> first, Field<Integer> second) {
        return condition(Routines.pgAdvisoryUnlock2(first, second));
    }

    /**
     * Frees the session-level shared lock once: {@code pg_advisory_unlock_shared}. False, with a warning, if the
     * session does not have it.
     *
     * @throws IllegalArgumentException if the key has a former name: a condition takes one lock only
     */
    public static Condition unlockShared(LockKey key) {
        return unlockShared(key(key));
    }

    /** As {@link #unlockShared(LockKey)}, with a key from {@link #key(LockFamily, Field)} or any other number. */
    public static Condition unlockShared(Field<Long> key) {
        return condition(Routines.pgAdvisoryUnlockShared1(key));
    }

    /** As {@link #unlockShared(LockKey)}, in PostgreSQL's key space of two integers, which no {@code LockKey} is in. */
    public static Condition unlockShared(Field<Integer> first, Field<Integer> second) {
        return condition(Routines.pgAdvisoryUnlockShared2(first, second));
    }

    /**
     * Waits for the exclusive lock of the transaction, and is true then: {@code pg_advisory_xact_lock}. PostgreSQL
     * frees it when the transaction ends, and nobody before. {@link TransactionLocks} does the same with checks and a
     * limit for the wait.
     *
     * @throws IllegalArgumentException if the key has a former name: a condition takes one lock only
     */
    public static Condition transactionLock(LockKey key) {
        return transactionLock(key(key));
    }

    /** As {@link #transactionLock(LockKey)}, with a key from {@link #key(LockFamily, Field)} or any other number. */
    public static Condition transactionLock(Field<Long> key) {
        return condition(VoidFunction.granted(new PgAdvisoryXactLock1(), key));
    }

    /**
     * As {@link #transactionLock(LockKey)}, in PostgreSQL's key space of two integers, which no {@code LockKey} is in.
     */
    public static Condition transactionLock(Field<Integer> first, Field<Integer> second) {
        return condition(VoidFunction.granted(new PgAdvisoryXactLock2(), first, second));
    }

    /**
     * Waits for the shared lock of the transaction, and is true then: {@code pg_advisory_xact_lock_shared}.
     *
     * @throws IllegalArgumentException if the key has a former name: a condition takes one lock only
     */
    public static Condition transactionLockShared(LockKey key) {
        return transactionLockShared(key(key));
    }

    /**
     * As {@link #transactionLockShared(LockKey)}, with a key from {@link #key(LockFamily, Field)} or any other number.
     */
    public static Condition transactionLockShared(Field<Long> key) {
        return condition(VoidFunction.granted(new PgAdvisoryXactLockShared1(), key));
    }

    /**
     * As {@link #transactionLockShared(LockKey)}, in PostgreSQL's key space of two integers, which no {@code LockKey}
     * is in.
     */
    public static Condition transactionLockShared(Field<Integer> first, Field<Integer> second) {
        return condition(VoidFunction.granted(new PgAdvisoryXactLockShared2(), first, second));
    }

    /**
     * Whether the exclusive lock of the transaction was free, and is taken now: {@code pg_try_advisory_xact_lock}.
     *
     * @throws IllegalArgumentException if the key has a former name: a condition takes one lock only
     */
    public static Condition tryTransactionLock(LockKey key) {
        return tryTransactionLock(key(key));
    }

    /** As {@link #tryTransactionLock(LockKey)}, with a key from {@link #key(LockFamily, Field)} or any other number. */
    public static Condition tryTransactionLock(Field<Long> key) {
        return condition(Routines.pgTryAdvisoryXactLock1(key));
    }

    /**
     * As {@link #tryTransactionLock(LockKey)}, in PostgreSQL's key space of two integers, which no {@code LockKey} is
     * in.
     */
    public static Condition tryTransactionLock(Field<Integer> first, Field<Integer> second) {
        return condition(Routines.pgTryAdvisoryXactLock2(first, second));
    }

    /**
     * Whether the shared lock of the transaction could be had, and is taken now:
     * {@code pg_try_advisory_xact_lock_shared}.
     *
     * @throws IllegalArgumentException if the key has a former name: a condition takes one lock only
     */
    public static Condition tryTransactionLockShared(LockKey key) {
        return tryTransactionLockShared(key(key));
    }

    /**
     * As {@link #tryTransactionLockShared(LockKey)}, with a key from {@link #key(LockFamily, Field)} or any other
     * number.
     */
    public static Condition tryTransactionLockShared(Field<Long> key) {
        return condition(Routines.pgTryAdvisoryXactLockShared1(key));
    }

    /**
     * As {@link #tryTransactionLockShared(LockKey)}, in PostgreSQL's key space of two integers, which no
     * {@code LockKey} is in.
     */
    public static Condition tryTransactionLockShared(Field<Integer> first, Field<Integer> second) {
        return condition(Routines.pgTryAdvisoryXactLockShared2(first, second));
    }

    /**
     * Frees all session-level locks of the connection, those that others took on it included:
     * {@code pg_advisory_unlock_all}. True.
     */
    public static Condition unlockAll() {
        return condition(VoidFunction.granted(new PgAdvisoryUnlockAll()));
    }
}
