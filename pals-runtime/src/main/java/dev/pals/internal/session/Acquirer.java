package dev.pals.internal.session;

import dev.pals.internal.sql.SqlState;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockInterruptedException;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockerClosedException;
import dev.pals.lock.WaitPolicy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes all locks of a request or none, on one session, waiting as the policy says. Thread-safe.
 *
 * <p>PostgreSQL can raise a timeout or a cancel although it has granted the lock (up to a third of the timeouts near
 * the deadline). So after either, the session's locks are all freed before the outcome is decided: what the caller sees
 * is what PostgreSQL has.
 */
public final class Acquirer {
    private final SessionPool pool;

    /** Makes one that takes its sessions from this pool. */
    public Acquirer(SessionPool pool) {
        this.pool = pool;
    }

    /** A handle, or null where the wait ran out; with the effort that it took. */
    public record Outcome(@Nullable LockHandle handle, int attempts, Duration waited) {}

    /**
     * Takes the locks.
     *
     * @param keys ascending and distinct
     * @throws dev.pals.lock.LockException if it came to no decision; no lock is held then
     */
    public Outcome acquire(List<LockKey> keys, LockMode mode, WaitPolicy policy) {
        Deadline deadline = Deadline.start(policy, System::nanoTime);
        Session session = open(keys, deadline);
        boolean delivered = false;
        try {
            int attempts = attempt(session, keys, mode, policy, deadline);
            Duration waited = deadline.elapsed();
            if (attempts < 0) {
                return new Outcome(null, -attempts, waited);
            }
            HeldLock handle = new HeldLock(pool, session, keys, mode, attempts, waited);
            pool.holds(session);
            delivered = true;
            return new Outcome(handle, attempts, waited);
        } catch (SQLException e) {
            if (pool.isClosed()) {
                throw new LockerClosedException(pool.name());
            }
            throw new LockDatabaseException(
                    "PostgreSQL failed to lock " + keys + " after "
                            + deadline.elapsed().toMillis() + " ms (SQLSTATE " + e.getSQLState() + ": " + e.getMessage()
                            + "). No lock is held.",
                    e);
        } finally {
            if (!delivered && session.end()) {
                pool.giveBack(session);
            }
        }
    }

    private Session open(List<LockKey> keys, Deadline deadline) {
        try {
            return pool.open(deadline);
        } catch (InterruptedException e) {
            throw interrupted(keys);
        } catch (LockDatabaseException e) {
            // HikariCP wraps the interrupt of a thread that waits for a connection.
            if (e.getCause() != null && e.getCause().getCause() instanceof InterruptedException) {
                throw interrupted(keys);
            }
            throw e;
        }
    }

    private static LockInterruptedException interrupted(List<LockKey> keys) {
        Thread.currentThread().interrupt();
        return new LockInterruptedException(keys);
    }

    /** Returns how many attempts it took; negative where the last one failed too and the wait ran out. */
    private int attempt(Session session, List<LockKey> keys, LockMode mode, WaitPolicy policy, Deadline deadline)
            throws SQLException {
        boolean queue = policy.retryDelay().isEmpty() && !deadline.hasPassed();
        for (int attempts = 1; ; attempts++) {
            if (pool.isClosed()) {
                throw new LockerClosedException(pool.name());
            }
            // Waiting takes a round trip for each key, so several are tried first: where all are free, that is the only
            // one.
            boolean wait = queue && (keys.size() == 1 || attempts > 1);
            if (wait ? queueForAll(session, keys, mode, deadline) : tryAll(session, keys, mode)) {
                return attempts;
            }
            if (deadline.hasPassed()) {
                return -attempts;
            }
            if (!queue) {
                pause(keys, policy.retryDelay().orElseThrow(), deadline);
            }
        }
    }

    private static boolean tryAll(Session session, List<LockKey> keys, LockMode mode) throws SQLException {
        if (keys.size() == 1) {
            return session.tryLock(keys.get(0), mode);
        }
        boolean all = session.tryLocks(keys, mode);
        if (!all) {
            session.unlockAll();
        }
        return all;
    }

    private static boolean queueForAll(Session session, List<LockKey> keys, LockMode mode, Deadline deadline)
            throws SQLException {
        try {
            for (LockKey key : keys) {
                if (Thread.currentThread().isInterrupted()) {
                    throw interrupted(keys);
                }
                session.lock(key, mode, deadline.lockTimeoutMillis());
            }
            return true;
        } catch (SQLException e) {
            if (SqlState.LOCK_NOT_AVAILABLE.matches(e) || SqlState.QUERY_CANCELED.matches(e)) {
                // It may have been granted all the same: settle before anything else.
                session.unlockAll();
                return false;
            }
            throw e;
        }
    }

    private void pause(List<LockKey> keys, Duration delay, Deadline deadline) {
        try {
            pool.pause(Math.min(TimeUnit.NANOSECONDS.convert(delay), deadline.remainingNanos()));
        } catch (InterruptedException e) {
            throw interrupted(keys);
        }
    }
}
