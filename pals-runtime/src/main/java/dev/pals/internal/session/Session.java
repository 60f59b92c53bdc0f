package dev.pals.internal.session;

import dev.pals.internal.sql.AdvisoryLockSql;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One PostgreSQL session, which takes the locks of one request and holds them for one handle.
 *
 * <p>Whoever moves it to {@link State#ENDED} gives it back: the request that fails, the handle that is closed, the
 * cleaner, or the locker's {@code close()}. The move is one atomic step, so it is one of them. SQL runs only on the
 * thread that owns the state.
 */
final class Session {
    enum State {
        ACQUIRING,
        HOLDING,
        ENDED
    }

    private final Connection connection;
    private final boolean autoCommitBefore;
    private final AtomicReference<State> state = new AtomicReference<>(State.ACQUIRING);
    private volatile @Nullable PreparedStatement waiting;

    Session(Connection connection) throws SQLException {
        this.connection = connection;
        autoCommitBefore = connection.getAutoCommit();
        if (!autoCommitBefore) {
            // A session that holds locks for long must not be idle in a transaction.
            connection.setAutoCommit(true);
        }
    }

    boolean move(State from, State to) {
        return state.compareAndSet(from, to);
    }

    /** Ends it, whatever it was doing; returns whether the caller is the one who did. */
    boolean end() {
        return state.getAndSet(State.ENDED) != State.ENDED;
    }

    boolean isHolding() {
        return state.get() == State.HOLDING;
    }

    /** Takes the lock if it is free. */
    boolean tryLock(LockKey key, LockMode mode) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(AdvisoryLockSql.tryLock(mode))) {
            statement.setLong(1, key.lockHash());
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                return result.getBoolean(1);
            }
        }
    }

    /** Takes the locks in one round trip, up to the first that is not free; returns whether all were. */
    boolean tryLocks(List<LockKey> keys, LockMode mode) throws SQLException {
        Object[] hashes = keys.stream().map(LockKey::lockHash).toArray();
        try (PreparedStatement statement = connection.prepareStatement(AdvisoryLockSql.tryLocks(mode))) {
            statement.setArray(1, connection.createArrayOf("bigint", hashes));
            try (ResultSet result = statement.executeQuery()) {
                boolean all = true;
                while (result.next()) {
                    all &= result.getBoolean(1);
                }
                return all;
            }
        }
    }

    /**
     * Waits for the lock in PostgreSQL's queue.
     *
     * @throws SQLException also when the wait ran out; the lock may then have been granted all the same, so the caller
     *     must call {@link #unlockAll()} before anything else
     */
    void lock(LockKey key, LockMode mode, long lockTimeoutMillis) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(AdvisoryLockSql.waitForLock(mode))) {
            statement.setString(1, "lock_timeout");
            statement.setString(2, Long.toString(lockTimeoutMillis));
            statement.setBoolean(3, true);
            statement.setLong(4, key.lockHash());
            waiting = statement;
            statement.execute();
        } finally {
            waiting = null;
        }
    }

    /** Ends a wait from another thread; without effect where there is none at this moment. */
    void cancelWait() throws SQLException {
        PreparedStatement statement = waiting;
        if (statement != null && !statement.isClosed()) {
            statement.cancel();
        }
    }

    void unlockAll() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(AdvisoryLockSql.UNLOCK_ALL)) {
            statement.execute();
        }
    }

    /** Hands the connection back as it came. */
    void returnConnection() throws SQLException {
        if (!autoCommitBefore) {
            connection.setAutoCommit(false);
        }
        connection.close();
    }

    Connection connection() {
        return connection;
    }
}
