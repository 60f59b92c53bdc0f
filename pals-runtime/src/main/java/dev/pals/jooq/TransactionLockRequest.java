package dev.pals.jooq;

import dev.pals.internal.sql.SqlState;
import dev.pals.internal.sql.TransactionLockSql;
import dev.pals.internal.transaction.CallerTransaction;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.SnapshotBeforeLockException;
import dev.pals.lock.WaitPolicy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jspecify.annotations.Nullable;

/**
 * Which locks to take in a transaction, and how long to wait for them. Immutable, and as thread-safe as the
 * transaction's configuration.
 *
 * <p>Every way to take the locks throws, besides what it names itself: {@link SnapshotBeforeLockException} if the
 * transaction is REPEATABLE READ or SERIALIZABLE; {@link IllegalStateException} if there is no transaction, since the
 * lock would be gone with the statement; {@link org.jooq.exception.DataAccessException} if PostgreSQL fails, with
 * SQLSTATE 40P01 for a deadlock. It takes one round trip, and a second one where the configuration takes its
 * connections from a pool or from a framework, so that only PostgreSQL can tell whether there is a transaction.
 *
 * @see <a
 *     href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS">pg_advisory_xact_lock</a>
 */
public final class TransactionLockRequest {
    private static final Duration LONGEST = Duration.ofMillis(Integer.MAX_VALUE);

    private final Configuration transaction;
    private final List<LockKey> keys;
    private final LockMode mode;
    private final @Nullable Duration limit;

    TransactionLockRequest(Configuration transaction, List<LockKey> keys, LockMode mode, @Nullable Duration limit) {
        this.transaction = transaction;
        this.keys = keys;
        this.mode = mode;
        this.limit = limit;
    }

    /**
     * Returns this request with a limit for the wait for all its locks; zero for a single try. Precise to a
     * millisecond, rounded up; at most 24 days. It is set as {@code lock_timeout} for this statement alone: before and
     * after it stands as the caller has it.
     *
     * @throws dev.pals.lock.InvalidWaitException if the limit is null or negative
     * @see <a
     *     href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT">lock_timeout</a>
     */
    public TransactionLockRequest waitAtMost(Duration limit) {
        WaitPolicy.atMost(limit);
        return new TransactionLockRequest(transaction, keys, mode, limit);
    }

    /**
     * Takes the locks. Without {@link #waitAtMost} it waits for each as long as the {@code lock_timeout} of the
     * transaction allows, which is for ever by default.
     *
     * @throws LockTimeoutException if they were not granted in time. PostgreSQL has aborted the transaction then: let
     *     it roll back. Within a savepoint, such as jOOQ's nested transaction, it is the savepoint that is to be rolled
     *     back, and the rest goes on. After a single try (a limit of zero) nothing is aborted.
     */
    public void acquire() {
        long start = System.nanoTime();
        if (limit != null && limit.isZero()) {
            if (!tryAcquire()) {
                throw timeout(start, null);
            }
            return;
        }
        try {
            inTransaction(this::waitForAll);
        } catch (RuntimeException e) {
            // Any, since an execute listener may have put its own around PostgreSQL's.
            throw SqlState.LOCK_NOT_AVAILABLE.isCauseOf(e) ? timeout(start, e) : e;
        }
    }

    private LockTimeoutException timeout(long start, @Nullable RuntimeException cause) {
        String allowed = limit == null ? "lock_timeout" : "at most " + limit;
        return new LockTimeoutException(keys, mode, allowed, Duration.ofNanos(System.nanoTime() - start), cause);
    }

    /**
     * Takes the locks, all or none, and returns whether they are taken. Does not wait, unless this request itself says
     * so. A lock that is not free does not abort the transaction. Several keys, and a limit, take two round trips more,
     * for a savepoint.
     */
    public boolean tryAcquire() {
        boolean waits = limit != null && !limit.isZero();
        if (waits) {
            return inTransaction(dsl -> underSavepoint(dsl, this::waitForAll));
        }
        return inTransaction(keys.size() > 1 ? dsl -> underSavepoint(dsl, this::tryEach) : this::tryEach);
    }

    /** Whether all locks are taken, and in which transaction. */
    private record Answer(boolean taken, String transaction) {}

    private boolean inTransaction(Function<DSLContext, Answer> taking) {
        return CallerTransaction.require(
                        transaction,
                        taking,
                        (dsl, answer) -> CallerTransaction.identity(dsl).equals(answer.transaction()),
                        this::noTransaction)
                .taken();
    }

    /** Those that were taken before one that is not free are freed by going back. */
    private static Answer underSavepoint(DSLContext dsl, Function<DSLContext, Answer> taking) {
        return dsl.connectionResult(connection -> {
            Savepoint before = connection.setSavepoint();
            Answer answer;
            try {
                answer = taking.apply(dsl);
            } catch (RuntimeException | Error e) {
                try {
                    undo(connection, before);
                } catch (SQLException inDoubt) {
                    e.addSuppressed(inDoubt);
                    throw e;
                }
                if (!SqlState.LOCK_NOT_AVAILABLE.isCauseOf(e)) {
                    throw e;
                }
                return new Answer(false, CallerTransaction.identity(dsl));
            }
            if (answer.taken()) {
                connection.releaseSavepoint(before);
            } else {
                undo(connection, before);
            }
            return answer;
        });
    }

    /** A savepoint stands after a rollback to it, and nests whatever follows. */
    private static void undo(Connection connection, Savepoint before) throws SQLException {
        connection.rollback(before);
        connection.releaseSavepoint(before);
    }

    private Answer waitForAll(DSLContext dsl) {
        return limit == null
                ? ask(dsl, TransactionLockSql.waitForLocks(mode), hashes())
                : ask(dsl, TransactionLockSql.waitForLocksAtMost(mode), millis(limit), hashes());
    }

    private Answer tryEach(DSLContext dsl) {
        return ask(dsl, TransactionLockSql.tryLocks(mode), hashes());
    }

    private Answer ask(DSLContext dsl, String sql, Object... parameters) {
        Record answer = dsl.fetchSingle(sql, parameters);
        Boolean taken = answer.get(TransactionLockSql.TAKEN);
        if (taken == null) {
            throw new SnapshotBeforeLockException(keys, answer.get(TransactionLockSql.ISOLATION));
        }
        return new Answer(taken, answer.get(TransactionLockSql.TRANSACTION));
    }

    private Object hashes() {
        return keys.stream().map(LockKey::lockHash).toArray(Long[]::new);
    }

    /** Rounded up, and as much as {@code lock_timeout} takes. */
    private static Object millis(Duration limit) {
        boolean more = limit.compareTo(LONGEST) > 0;
        return more ? LONGEST.toMillis() : limit.plusNanos(999_999).toMillis();
    }

    private IllegalStateException noTransaction() {
        return new IllegalStateException("The lock on " + keys
                + " was asked for outside of a transaction, where it would be gone with the statement. Ask for it within"
                + " dsl.transaction(trx -> ...), with that trx; or take it through a Locker.");
    }

    @Override
    public String toString() {
        return mode + " " + keys + " until the transaction ends, waiting "
                + (limit == null ? "as lock_timeout says" : "at most " + limit);
    }
}
