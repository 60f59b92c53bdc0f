package dev.pals.internal.session;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.ProxyConnection;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockerClosedException;
import dev.pals.lock.SessionUnavailableException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sessions of one locker: at most a fixed number at a time, from a {@link DataSource}. A connection goes back there
 * only after {@code pg_advisory_unlock_all()} has succeeded on it; otherwise it is cut, which frees its locks as well.
 * Thread-safe.
 */
public final class SessionPool implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SessionPool.class);
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(10);
    private static final long CLOSE_ROUND_MILLIS = 10;
    /** Enough to wake every thread that waits for a session, and far from the semaphore's overflow. */
    private static final int WAKE_ALL = 1 << 20;

    private final String name;
    private final DataSource dataSource;
    private final @Nullable HikariDataSource owned;
    private final int limit;
    private final Semaphore permits;
    private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * Makes a pool; opens no session yet.
     *
     * @param name the locker's name in messages
     * @param owned whether the data source is closed with this pool
     * @param limit how many sessions there are at the most
     */
    public SessionPool(String name, DataSource dataSource, boolean owned, int limit) {
        this.name = name;
        this.dataSource = dataSource;
        this.owned = owned ? (HikariDataSource) dataSource : null;
        this.limit = limit;
        this.permits = new Semaphore(limit, true);
    }

    Session open(Deadline deadline) throws InterruptedException {
        checkOpen();
        if (!permits.tryAcquire(deadline.remainingNanos(), TimeUnit.NANOSECONDS)) {
            throw new SessionUnavailableException(
                    name + ": all " + limit + " sessions are in use, "
                            + deadline.elapsed().toMillis()
                            + " ms waited. Each held lock and each waiting request takes one: raise sessions(...), or hold fewer"
                            + " locks at a time.",
                    null);
        }
        return connected();
    }

    /** Needs a permit, which it gives back if there is no session. */
    private Session connected() {
        boolean connected = false;
        try {
            checkOpen();
            Session session = connect();
            sessions.add(session);
            connected = true;
            return session;
        } finally {
            if (!connected) {
                permits.release();
            }
        }
    }

    private Session connect() {
        Connection connection = borrow();
        try {
            return new Session(connection);
        } catch (SQLException e) {
            evict(connection);
            throw refused(name, e);
        }
    }

    /** Lends a connection, in autocommit, to work that takes no lock. */
    public void withConnection(Consumer<Connection> work) {
        permits.acquireUninterruptibly();
        Session session = connected();
        try {
            work.accept(session.connection());
        } finally {
            if (session.end()) {
                giveBack(session);
            }
        }
    }

    private Connection borrow() {
        try {
            return dataSource.getConnection();
        } catch (SQLTransientConnectionException e) {
            checkOpen();
            throw new SessionUnavailableException(
                    name + ": the connection pool gave no connection (" + e.getMessage()
                            + "). Enlarge the pool, lower sessions(...) below its size, or check that the server is up.",
                    e);
        } catch (SQLException e) {
            checkOpen();
            throw refused(name, e);
        }
    }

    /** What to say when no connection could be made. */
    public static LockDatabaseException refused(String name, Exception e) {
        return new LockDatabaseException(
                name + ": PostgreSQL refused a connection (" + e.getMessage()
                        + "). Check host, port, database and credentials, and that the server is up.",
                e);
    }

    private void checkOpen() {
        if (closed.get()) {
            throw new LockerClosedException(name);
        }
    }

    /**
     * Makes the session the holder of its locks.
     *
     * @throws LockerClosedException if the locker was closed meanwhile; the session is still to be ended then
     */
    void holds(Session session) {
        session.move(Session.State.ACQUIRING, Session.State.HOLDING);
        checkOpen();
    }

    /**
     * Frees the locks of a session that the caller has ended, and returns its connection.
     *
     * @return null, or why PostgreSQL could not confirm it: the session was dead before or is in doubt, and was cut
     */
    @Nullable
    SQLException giveBack(Session session) {
        boolean freed = false;
        try {
            session.unlockAll();
            freed = true;
            session.returnConnection();
            return null;
        } catch (SQLException | RuntimeException | Error e) {
            evict(session.connection());
            if (freed) {
                LOG.debug("{}: the locks are freed, but their connection was not returned in order", name, e);
                return null;
            }
            return e instanceof SQLException sql ? sql : new SQLException("the session failed to unlock: " + e, e);
        } finally {
            sessions.remove(session);
            permits.release();
        }
    }

    /** Cuts a connection in doubt, so that neither its locks nor itself go back to a pool. */
    private void evict(Connection connection) {
        try {
            connection.abort(Runnable::run);
            if (connection instanceof ProxyConnection && dataSource.isWrapperFor(HikariDataSource.class)) {
                // Instead of close(), after which HikariCP lends a dead connection again for half a second.
                dataSource.unwrap(HikariDataSource.class).evictConnection(connection);
            } else {
                connection.close();
            }
        } catch (SQLException | RuntimeException e) {
            LOG.debug("{}: a connection in doubt could not be closed in order", name, e);
        }
    }

    /** Ends every wait and frees every lock of this pool; further use throws. Idempotent. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        closing.countDown();
        permits.release(WAKE_ALL);
        long end = System.nanoTime() + CLOSE_PATIENCE.toNanos();
        while (!sessions.isEmpty() && System.nanoTime() - end < 0) {
            sessions.forEach(this::endOrCancel);
            if (!sessions.isEmpty() && !sleptARound()) {
                break;
            }
        }
        for (Session session : sessions) {
            LOG.warn("{}: a session did not end within {}, it is cut", name, CLOSE_PATIENCE);
            evict(session.connection());
        }
        if (owned != null) {
            owned.close();
        }
    }

    private void endOrCancel(Session session) {
        if (session.move(Session.State.HOLDING, Session.State.ENDED)) {
            giveBack(session);
            return;
        }
        try {
            session.cancelWait();
        } catch (SQLException e) {
            LOG.debug("{}: a wait could not be cancelled; it is tried again", name, e);
        }
    }

    private static boolean sleptARound() {
        try {
            Thread.sleep(CLOSE_ROUND_MILLIS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    boolean isClosed() {
        return closed.get();
    }

    /** Sleeps, and wakes up early when the pool is closed. */
    void pause(long nanos) throws InterruptedException {
        if (closing.await(nanos, TimeUnit.NANOSECONDS)) {
            throw new LockerClosedException(name);
        }
    }

    String name() {
        return name;
    }
}
