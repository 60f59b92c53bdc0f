package dev.pals.benchmarks.contender;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The floor: each thread has a connection, and two round trips with prepared statements make a cycle. */
final class RawJdbc implements Contender {
    private final String url;
    private final Queue<Connection> opened = new ConcurrentLinkedQueue<>();

    RawJdbc(Place place) {
        this.url = place.url();
    }

    @Override
    public Locks locks() throws SQLException {
        return new OnConnection(open());
    }

    private Connection open() throws SQLException {
        Connection connection = DriverManager.getConnection(url);
        opened.add(connection);
        return connection;
    }

    @Override
    public void hold(int from, int count) throws SQLException {
        try (PreparedStatement statement =
                holder().prepareStatement("select pg_advisory_lock(key) from generate_series(?, ?) key")) {
            statement.setInt(1, from);
            statement.setInt(2, from + count - 1);
            statement.executeQuery().close();
        }
    }

    /** A connection that a thread locks with: whose locks it holds beside is to be measured. */
    private Connection holder() throws SQLException {
        for (Connection connection : opened) {
            if (!connection.isClosed()) {
                return connection;
            }
        }
        return open();
    }

    @Override
    public void close() throws SQLException {
        for (Connection connection : opened) {
            connection.close();
        }
    }

    /** Also what is done with a connection of a pool. */
    static final class OnConnection implements Locks {
        private final Connection connection;
        private final PreparedStatement tryLock;
        private final PreparedStatement lock;
        private final PreparedStatement lockShared;
        private final PreparedStatement unlock;
        private final PreparedStatement unlockShared;
        private final PreparedStatement lockInTransaction;

        OnConnection(Connection connection) throws SQLException {
            this.connection = connection;
            tryLock = connection.prepareStatement("select pg_try_advisory_lock(?)");
            lock = connection.prepareStatement("select pg_advisory_lock(?)");
            lockShared = connection.prepareStatement("select pg_advisory_lock_shared(?)");
            unlock = connection.prepareStatement("select pg_advisory_unlock(?)");
            unlockShared = connection.prepareStatement("select pg_advisory_unlock_shared(?)");
            lockInTransaction = connection.prepareStatement("select pg_advisory_xact_lock(?)");
        }

        @Override
        public boolean tryLocked(int key, Section section) throws Exception {
            if (!granted(tryLock, key)) {
                return false;
            }
            try {
                section.run();
            } finally {
                ask(unlock, key);
            }
            return true;
        }

        @Override
        public void locked(int key, Section section) throws Exception {
            ask(lock, key);
            try {
                section.run();
            } finally {
                ask(unlock, key);
            }
        }

        @Override
        public void reading(int key, Section section) throws Exception {
            ask(lockShared, key);
            try {
                section.run();
            } finally {
                ask(unlockShared, key);
            }
        }

        @Override
        public void transaction(int key, Work work) throws Exception {
            connection.setAutoCommit(false);
            ask(lockInTransaction, key);
            work.in(connection);
            connection.commit();
        }

        @Override
        public void close() throws SQLException {
            connection.close();
        }

        static boolean granted(PreparedStatement statement, int key) throws SQLException {
            statement.setLong(1, key);
            try (ResultSet result = statement.executeQuery()) {
                return result.next() && result.getBoolean(1);
            }
        }

        static void ask(PreparedStatement statement, int key) throws SQLException {
            statement.setLong(1, key);
            statement.executeQuery().close();
        }
    }
}
