package dev.pals.db.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.testcontainers.DockerClientFactory;

/**
 * A running PostgreSQL for builds, tests and examples. The first that applies:
 *
 * <ol>
 *   <li>the server that the environment variable {@code PALS_DB_URL} names ({@code postgresql://user:pass@host:port/db}
 *       or a JDBC URL); it is used, never stopped;
 *   <li>where Docker answers, a container of {@code postgres:18} through Testcontainers;
 *   <li>otherwise the embedded binaries from Maven. They work as root and as an ordinary user, on Linux and macOS.
 * </ol>
 *
 * <p>The major version of the last two is chosen when this module is built: {@code -Dpals.postgres=14} to {@code 18}.
 *
 * <p>What it started is gone when {@link #close()} returns, and also soon after this JVM ends in any other way.
 * Thread-safe.
 *
 * <pre>{@code
 * try (PostgresServer server = PostgresServer.start();
 *         ScratchDatabase database = server.newDatabase()) {
 *     DriverManager.getConnection(database.url());
 * }
 * }</pre>
 */
public final class PostgresServer implements AutoCloseable {
    static final String URL_VARIABLE = "PALS_DB_URL";

    private static final Logger LOG = LoggerFactory.getLogger(PostgresServer.class);

    private final Source source;

    private PostgresServer(Source source) {
        this.source = source;
    }

    /**
     * Finds or starts a server, and says in one log line which it took and why. Starting takes a few seconds.
     *
     * @throws PostgresUnavailableException if the one that applies cannot be used; there is no falling back to the
     *     next, since a server named by mistake is not to be replaced in silence
     */
    public static PostgresServer start() {
        return start(Map.of());
    }

    /**
     * As {@link #start()}; an embedded server gets the settings, others are as they are. By itself an embedded one does
     * not wait for the disk.
     */
    public static PostgresServer start(Map<String, String> embeddedSettings) {
        return start(System.getenv(URL_VARIABLE), embeddedSettings);
    }

    static PostgresServer start(@Nullable String namedUrl) {
        return start(namedUrl, Map.of());
    }

    private static PostgresServer start(@Nullable String namedUrl, Map<String, String> embeddedSettings) {
        Source source;
        if (namedUrl != null && !namedUrl.isBlank()) {
            source = new NamedSource(PostgresUrl.toJdbc(namedUrl));
        } else if (DockerClientFactory.instance().isDockerAvailable()) {
            source = new DockerSource(major());
        } else {
            source = EmbeddedSource.start(major(), embeddedSettings);
        }
        try (Connection connection = DriverManager.getConnection(source.url())) {
            String version = connection.getMetaData().getDatabaseProductVersion();
            LOG.info("PostgreSQL {}: {}", version, source.choice());
            return new PostgresServer(source);
        } catch (SQLException e) {
            source.close();
            throw new PostgresUnavailableException(
                    "PostgreSQL refused a connection (" + e.getMessage() + "); it was " + source.choice()
                            + ". Mend or unset " + URL_VARIABLE + ".",
                    e);
        }
    }

    /**
     * The JDBC URL of the server's default database, with user and password in it; the database that
     * {@code PALS_DB_URL} names where that is set.
     */
    public String url() {
        return source.url();
    }

    /**
     * Creates an empty database of a new name, for work that must not meet another's tables or locks (advisory locks
     * are per database).
     *
     * @throws PostgresUnavailableException if the role may not create one
     */
    public ScratchDatabase newDatabase() {
        return ScratchDatabase.create(url());
    }

    /** Stops what {@link #start()} started and deletes its files; a server that was only named stays. Idempotent. */
    @Override
    public void close() {
        source.close();
    }

    private static String major() {
        Properties properties = new Properties();
        try (InputStream in = PostgresServer.class.getResourceAsStream("postgres.properties")) {
            properties.load(Objects.requireNonNull(in, "postgres.properties is missing beside PostgresServer"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("major");
    }

    /** One place that a server can come from. */
    interface Source extends AutoCloseable {
        /** Which it is and why, without a password. */
        String choice();

        String url();

        @Override
        void close();
    }
}
