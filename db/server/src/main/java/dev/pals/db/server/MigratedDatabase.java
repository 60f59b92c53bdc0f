package dev.pals.db.server;

import java.sql.DriverManager;
import java.sql.SQLException;
import org.flywaydb.core.Flyway;
import org.jooq.DSLContext;
import org.jooq.meta.postgres.PostgresDatabase;
import org.jspecify.annotations.Nullable;

/**
 * What jOOQ's codegen Maven plugin reads: a scratch database after its Flyway migrations.
 *
 * <p>Properties: {@code locations} (Flyway's, required) and {@code schema} (created first, required).
 */
public final class MigratedDatabase extends PostgresDatabase {
    private @Nullable PostgresServer server;
    private @Nullable ScratchDatabase database;

    /** Called by jOOQ's code generator. */
    public MigratedDatabase() {}

    @Override
    protected DSLContext create0() {
        if (server == null) {
            server = PostgresServer.start();
            database = server.newDatabase();
            Flyway.configure()
                    .dataSource(database.url(), null, null)
                    .locations(getProperties().getProperty("locations"))
                    .defaultSchema(getProperties().getProperty("schema"))
                    .load()
                    .migrate();
            try {
                setConnection(DriverManager.getConnection(database.url()));
            } catch (SQLException e) {
                throw new PostgresUnavailableException(
                        "The migrated database refused a connection: " + e.getMessage(), e);
            }
        }
        return super.create0();
    }

    @Override
    public void close() {
        super.close();
        if (database != null) {
            database.close();
        }
        if (server != null) {
            server.close();
        }
    }
}
