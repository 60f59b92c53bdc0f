package dev.pals.benchmarks.contender;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;

/** HikariCP as it comes: ten connections, opened when the first is asked for. */
final class Pool implements AutoCloseable {
    private static final long PATIENCE_MILLIS = 60_000;

    private final HikariDataSource connections;

    Pool(String url) {
        connections = new HikariDataSource();
        connections.setJdbcUrl(url);
        // Hundreds of threads may wait for ten connections.
        connections.setConnectionTimeout(PATIENCE_MILLIS);
    }

    HikariDataSource connections() {
        return connections;
    }

    void transaction(Locks.Work work) throws Exception {
        try (Connection connection = connections.getConnection()) {
            connection.setAutoCommit(false);
            work.in(connection);
            connection.commit();
        }
    }

    @Override
    public void close() {
        connections.close();
    }
}
