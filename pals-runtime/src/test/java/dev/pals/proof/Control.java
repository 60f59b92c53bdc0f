package dev.pals.proof;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A connection of the proof's own; it is made anew when the server is back. For one thread at a time. */
final class Control implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String url;
    private @Nullable Connection connection;

    Control(String url) {
        this.url = url;
    }

    interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    interface Row<T> {
        T of(ResultSet result) throws SQLException;
    }

    /** Once; after a failure the next call connects anew. */
    synchronized <T> T once(Work<T> work) throws SQLException {
        try {
            Connection open = connection;
            if (open == null) {
                open = DriverManager.getConnection(url);
                connection = open;
            }
            return work.on(open);
        } catch (SQLException e) {
            close();
            throw e;
        }
    }

    /** Again and again, while the server is away. */
    <T> T call(Work<T> work) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                return once(work);
            } catch (SQLException e) {
                if (System.nanoTime() - end > 0) {
                    throw new IllegalStateException("The server does not come back", e);
                }
                LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
            }
        }
    }

    <T> List<T> rows(Row<T> row, String sql, Object... parameters) {
        return call(open -> rows(open, row, sql, parameters));
    }

    static <T> List<T> rows(Connection open, Row<T> row, String sql, Object... parameters) throws SQLException {
        List<T> rows = new ArrayList<>();
        try (PreparedStatement statement = open.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    rows.add(row.of(result));
                }
            }
        }
        return rows;
    }

    @Override
    public synchronized void close() {
        Connection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException e) {
                // It is of no use any more, closed or not.
            }
        }
    }
}
