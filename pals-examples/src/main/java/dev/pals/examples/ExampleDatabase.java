package dev.pals.examples;

import com.zaxxer.hikari.HikariDataSource;
import dev.pals.db.PalsSchema;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;

/** The connections and the tables of an example. */
public final class ExampleDatabase {
    private ExampleDatabase() {}

    /** A pool of at most so many connections, which the caller closes. */
    public static HikariDataSource pool(String url, int size) {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(url);
        pool.setMaximumPoolSize(size);
        return pool;
    }

    /** Installs schema {@code pals}, and the example's own. Flyway takes several connections at a time. */
    public static void migrate(DataSource dataSource, String example) {
        PalsSchema.migrate(dataSource);
        Flyway.configure()
                .dataSource(dataSource)
                .locations("classpath:dev/pals/examples/" + example + "/migration")
                .defaultSchema(example)
                .load()
                .migrate();
    }
}
