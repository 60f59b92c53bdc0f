package dev.pals.db.server;

import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;

/**
 * The embedded binaries, each server in a temporary directory of its own (binaries, data, log), which a {@link Reaper}
 * removes together with the server.
 */
final class EmbeddedSource implements PostgresServer.Source {
    /** Where zonky's library puts its files; it has no setter for it. */
    private static final String WORKING_DIRECTORY_PROPERTY = "ot.epg.working-dir";

    private final EmbeddedPostgres postgres;
    private final Reaper reaper;
    private final String choice;

    private EmbeddedSource(EmbeddedPostgres postgres, Reaper reaper, String choice) {
        this.postgres = postgres;
        this.reaper = reaper;
        this.choice = choice;
    }

    static EmbeddedSource start(String major) {
        return start(major, Map.of());
    }

    static EmbeddedSource start(String major, Map<String, String> settings) {
        try {
            Path directory = Path.of(System.getProperty("java.io.tmpdir"), "pals-postgres-" + UUID.randomUUID());
            // Before anything is extracted or started: an interrupted build leaves nothing behind, however early.
            Reaper reaper = Reaper.makeDirectory(directory);
            try {
                return new EmbeddedSource(
                        startIn(directory, settings),
                        reaper,
                        "embedded binaries of version " + major + " (" + PostgresServer.URL_VARIABLE
                                + " is not set and no Docker answers)");
            } catch (IOException | RuntimeException | Error e) {
                reaper.close();
                throw e;
            }
        } catch (IOException e) {
            throw new PostgresUnavailableException(
                    "The embedded PostgreSQL did not start (" + e.getMessage() + "). Set " + PostgresServer.URL_VARIABLE
                            + "=postgresql://user:pass@host:port/db to use a server of yours.",
                    e);
        }
    }

    private static EmbeddedPostgres startIn(Path directory, Map<String, String> settings) throws IOException {
        synchronized (EmbeddedSource.class) {
            String before = System.getProperty(WORKING_DIRECTORY_PROPERTY);
            System.setProperty(WORKING_DIRECTORY_PROPERTY, directory.toString());
            try {
                DefaultPostgresBinaryResolver binaries = DefaultPostgresBinaryResolver.INSTANCE;
                EmbeddedPostgres.Builder server = EmbeddedPostgres.builder();
                settings.forEach(server::setServerConfig);
                return server.setOverrideWorkingDirectory(directory.toFile())
                        .setDataDirectory(directory.resolve(Reaper.DATA))
                        .setCleanDataDirectory(false)
                        .setRegisterShutdownHook(false)
                        // A resolver object of its own: the library shares extracted binaries by resolver, and the
                        // first server to close would delete them under the second.
                        .setPgBinaryResolver((system, hardware) -> binaries.getPgBinary(system, hardware))
                        .setOutputRedirector(ProcessBuilder.Redirect.appendTo(
                                directory.resolve("log").toFile()))
                        .setErrorRedirector(ProcessBuilder.Redirect.appendTo(
                                directory.resolve("log").toFile()))
                        .start();
            } finally {
                if (before == null) {
                    System.clearProperty(WORKING_DIRECTORY_PROPERTY);
                } else {
                    System.setProperty(WORKING_DIRECTORY_PROPERTY, before);
                }
            }
        }
    }

    @Override
    public String choice() {
        return choice;
    }

    @Override
    public String url() {
        return postgres.getJdbcUrl("postgres", "postgres");
    }

    @Override
    public void close() {
        reaper.close();
    }
}
