package dev.pals.benchmarks.contender;

import dev.pals.benchmarks.contender.RawJdbc.OnConnection;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** Raw JDBC through HikariCP: each cycle borrows a connection and prepares what it runs, which the driver caches. */
final class PooledJdbc implements Contender, Locks {
    private final Pool pool;

    PooledJdbc(Place place) {
        pool = new Pool(place.url());
    }

    @Override
    public Locks locks() {
        return new SharedLocks(this);
    }

    @Override
    public boolean tryLocked(int key, Section section) throws Exception {
        try (Connection connection = pool.connections().getConnection()) {
            try (PreparedStatement lock = connection.prepareStatement("select pg_try_advisory_lock(?)")) {
                if (!OnConnection.granted(lock, key)) {
                    return false;
                }
            }
            runAndUnlock(connection, key, section, "select pg_advisory_unlock(?)");
            return true;
        }
    }

    @Override
    public void locked(int key, Section section) throws Exception {
        locked(key, section, "select pg_advisory_lock(?)", "select pg_advisory_unlock(?)");
    }

    @Override
    public void reading(int key, Section section) throws Exception {
        locked(key, section, "select pg_advisory_lock_shared(?)", "select pg_advisory_unlock_shared(?)");
    }

    private void locked(int key, Section section, String lock, String unlock) throws Exception {
        try (Connection connection = pool.connections().getConnection()) {
            ask(connection, lock, key);
            runAndUnlock(connection, key, section, unlock);
        }
    }

    private static void runAndUnlock(Connection connection, int key, Section section, String unlock) throws Exception {
        try {
            section.run();
        } finally {
            ask(connection, unlock, key);
        }
    }

    private static void ask(Connection connection, String sql, int key) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            OnConnection.ask(statement, key);
        }
    }

    @Override
    public void transaction(int key, Work work) throws Exception {
        pool.transaction(connection -> {
            ask(connection, "select pg_advisory_xact_lock(?)", key);
            work.in(connection);
        });
    }

    @Override
    public void close() {
        pool.close();
    }
}
