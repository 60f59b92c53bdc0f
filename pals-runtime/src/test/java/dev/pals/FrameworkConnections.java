package dev.pals;

import java.sql.Connection;
import org.jooq.ConnectionProvider;

/** As a framework gives them: jOOQ knows nothing of the transaction, and each connection is the transaction's. */
record FrameworkConnections(Connection connection) implements ConnectionProvider {
    @Override
    public Connection acquire() {
        return connection;
    }

    @Override
    public void release(Connection released) {}
}
