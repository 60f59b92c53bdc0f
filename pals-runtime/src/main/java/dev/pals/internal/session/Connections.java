package dev.pals.internal.session;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.ProxyConnection;
import dev.pals.internal.sql.SqlState;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.SessionUnavailableException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where sessions get their connections: at most a fixed number at a time, from a {@link DataSource}. Thread-safe. */
public final class Connections {
    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    private final String name;
    private final DataSource dataSource;
    private final boolean owned;
    private final int limit;
    private final Semaphore permits;

    /**
     * Makes one; opens no connection yet.
     *
     * @param name the locker's name in messages
     * @param owned whether the data source, a HikariDataSource, is closed with this
     * @param limit how many connections there are at the most
     */
    public Connections(String name, DataSource dataSource, boolean owned, int limit) {
        this.name = name;
        this.dataSource = dataSource;
        this.owned = owned;
        this.limit = limit;
        this.permits = new Semaphore(limit);
    }

    String name() {
        return name;
    }

    int limit() {
        return limit;
    }

    boolean hasSpare(int count) {
        return permits.availablePermits() >= count;
    }

    /** Takes the right to one connection, if there is one to spare. */
    boolean reserve() {
        return permits.tryAcquire();
    }

    /** Takes it as soon as there is one to spare, within this time; not interruptible. */
    boolean reserve(long nanos) {
        boolean interrupted = false;
        long end = System.nanoTime() + nanos;
        try {
            while (true) {
                try {
                    return permits.tryAcquire(end - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Gives back what {@link #reserve} took, when the connection is gone. */
    void unreserve() {
        permits.release();
    }

    /** Needs {@link #reserve}; gives it back if it fails. */
    Connection open() {
        boolean opened = false;
        try {
            Connection connection = dataSource.getConnection();
            opened = true;
            return connection;
        } catch (SQLTransientConnectionException e) {
            throw new SessionUnavailableException(
                    name + ": the connection pool gave no connection (" + e.getMessage()
                            + "). Enlarge the pool, lower maxSessions(...) below its size, or check that the server is up.",
                    e);
        } catch (SQLException e) {
            throw refused(name, e);
        } catch (OutOfMemoryError e) {
            // A pool makes connections on threads of its own.
            throw new SessionUnavailableException(
                    name + ": there was no thread or no memory for a connection (" + e.getMessage()
                            + "). Raise the program's limits, or lower what else it starts.",
                    e);
        } finally {
            if (!opened) {
                unreserve();
            }
        }
    }

    /** Lends a connection, in autocommit, to work that takes no lock. */
    public <T> T call(Function<Connection, T> work) {
        if (!reserve()) {
            throw new SessionUnavailableException(name + ": all " + limit + " connections are in use.", null);
        }
        Connection connection = open();
        boolean returned = false;
        try {
            boolean autoCommitBefore = connection.getAutoCommit();
            connection.setAutoCommit(true);
            T result = work.apply(connection);
            connection.setAutoCommit(autoCommitBefore);
            connection.close();
            returned = true;
            return result;
        } catch (SQLException e) {
            throw refused(name, e);
        } finally {
            if (returned) {
                unreserve();
            } else {
                evict(connection);
            }
        }
    }

    /** What to say when no connection could be made. */
    public static LockDatabaseException refused(String name, Exception e) {
        return new LockDatabaseException(
                name + ": PostgreSQL refused a connection (" + e.getMessage() + ")."
                        + hint(e, " Check host, port, database and credentials, and that the server is up."),
                e);
    }

    /** What to do: where a right is missing, PostgreSQL's own message names what the role may not use. */
    public static String hint(Exception e, String otherwise) {
        return SqlState.INSUFFICIENT_PRIVILEGE.isCauseOf(e)
                ? " Grant the role what it lacks, as in docs/security.md."
                : otherwise;
    }

    /** Cuts a connection in doubt, so that neither its locks nor itself go back to a pool. */
    void evict(Connection connection) {
        try {
            connection.abort(Runnable::run);
            if (connection instanceof ProxyConnection && dataSource.isWrapperFor(HikariDataSource.class)) {
                // Instead of close(), after which HikariCP lends a dead connection again for half a second.
                dataSource.unwrap(HikariDataSource.class).evictConnection(connection);
            } else {
                connection.close();
            }
        } catch (SQLException | RuntimeException | OutOfMemoryError e) {
            LOG.debug("{}: a connection in doubt could not be closed in order", name, e);
        } finally {
            unreserve();
        }
    }

    /** Closes the data source, if it is the locker's own. */
    public void close() {
        if (owned) {
            ((HikariDataSource) dataSource).close();
        }
    }
}
