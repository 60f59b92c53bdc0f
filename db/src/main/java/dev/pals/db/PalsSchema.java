package dev.pals.db;

import static org.jooq.impl.DSL.name;

import dev.pals.db.jooq.pg_catalog.Routines;
import java.util.Objects;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

/**
 * Installs and updates the schema {@code pals}: the registry of lock names, the audit view {@code pals.advisory_lock},
 * and the sequence and the table of fencing tokens.
 *
 * <p>Locking works without it; seeing locks by name and fencing tokens need it.
 *
 * <pre>{@code
 * PalsSchema.migrate(dataSource);
 * }</pre>
 *
 * @see <a href="https://documentation.red-gate.com/flyway">Flyway</a>, which keeps the history of these migrations in
 *     {@code pals.flyway_schema_history} and none of it elsewhere, so an application's own Flyway is not disturbed
 */
public final class PalsSchema {
    /** The schema's name. */
    public static final String NAME = "pals";

    /** The version to which this library brings it. */
    public static final String VERSION = "3";

    private static final String LOCATION = "classpath:dev/pals/db/migration";

    /** The first 8 bytes of SHA-1 of "pals.schema", as for any lock's name; pals-db is below the code that hashes. */
    static final long LOCK_KEY = -6304406201757308177L;

    private PalsSchema() {}

    /**
     * Brings the schema to this version of the library; does nothing where it is there already. Safe to call from any
     * number of threads and processes at once: the others wait for the first.
     *
     * @param dataSource for a role that may create a schema in the database; at most two connections are used at a time
     * @throws org.jooq.exception.DataAccessException if the database refuses a connection or the creation of the schema
     * @throws org.flywaydb.core.api.FlywayException if a migration fails; what it had changed is rolled back
     */
    public static void migrate(DataSource dataSource) {
        Objects.requireNonNull(dataSource, "dataSource");
        createSchema(dataSource);
        Flyway.configure(PalsSchema.class.getClassLoader())
                .dataSource(dataSource)
                .locations(LOCATION)
                .defaultSchema(NAME)
                .createSchemas(false)
                .load()
                .migrate();
    }

    /**
     * Flyway takes its lock only after it has created the schema, and {@code CREATE SCHEMA IF NOT EXISTS} fails when
     * two run it at once. So it is done here, under a lock of its own that ends with the transaction.
     */
    private static void createSchema(DataSource dataSource) {
        DSL.using(dataSource, SQLDialect.POSTGRES).transaction(trx -> {
            Routines.pgAdvisoryXactLock1(trx, LOCK_KEY);
            trx.dsl().createSchemaIfNotExists(name(NAME)).execute();
        });
    }
}
