package dev.pals;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.stream.Stream;

/**
 * Two servers, of which the second is a hot standby of the first: it began as a copy of the stopped first one's files.
 */
final class PrimaryAndStandby implements AutoCloseable {
    private final EmbeddedPostgres primary;
    private final EmbeddedPostgres standby;

    private PrimaryAndStandby(EmbeddedPostgres primary, EmbeddedPostgres standby) {
        this.primary = primary;
        this.standby = standby;
    }

    /** Starts both; the directory is of the test's, which deletes it. */
    static PrimaryAndStandby start(Path directory) {
        Path original = directory.resolve("primary");
        Path copy = directory.resolve("standby");
        try {
            server(original).close();
            copy(original, copy);
            EmbeddedPostgres primary = server(original);
            Files.createFile(copy.resolve("standby.signal"));
            Files.writeString(
                    copy.resolve("postgresql.auto.conf"),
                    "primary_conninfo = 'host=localhost user=postgres port=" + primary.getPort() + "'\n");
            return new PrimaryAndStandby(primary, server(copy));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static EmbeddedPostgres server(Path data) throws IOException {
        return EmbeddedPostgres.builder()
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .start();
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
        // PostgreSQL refuses a directory that others may read.
        to.toFile().setReadable(false, false);
        to.toFile().setReadable(true, true);
    }

    String primaryUrl() {
        return primary.getJdbcUrl("postgres", "postgres");
    }

    String standbyUrl() {
        return standby.getJdbcUrl("postgres", "postgres");
    }

    /** Makes the standby a primary, and returns when it is one. */
    void promote() {
        try (Connection connection = DriverManager.getConnection(standbyUrl());
                Statement statement = connection.createStatement()) {
            statement.execute("select pg_promote(true)");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try (primary) {
            standby.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
