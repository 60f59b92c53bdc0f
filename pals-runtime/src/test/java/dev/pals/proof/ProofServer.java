package dev.pals.proof;

import dev.pals.db.PalsSchema;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL of the proof's own, which may be restarted and may fail over to a standby. It has room for few locks,
 * loses no commit, and knows when each was made.
 */
final class ProofServer implements AutoCloseable {
    private static final String NOBODY = "postgres";

    private final Path directory;
    private final List<EmbeddedPostgres> all = new ArrayList<>();
    private volatile EmbeddedPostgres primary;
    private Path data;
    private @Nullable EmbeddedPostgres standby;
    private @Nullable Path copy;

    private ProofServer(Path directory, Path data, EmbeddedPostgres primary) {
        this.directory = directory;
        this.data = data;
        this.primary = primary;
        all.add(primary);
    }

    /** Starts one with the schemas of PALs and of the proof; the directory is of the caller's, who deletes it. */
    static ProofServer start(Path directory) {
        try {
            Path data = directory.resolve("data-0");
            ProofServer server = new ProofServer(directory, data, startIn(data));
            PalsSchema.migrate(server.primary.getPostgresDatabase());
            Schema.create(server.url());
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static EmbeddedPostgres startIn(Path data) throws IOException {
        return EmbeddedPostgres.builder()
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .setPGStartupWait(Duration.ofMinutes(1))
                .setServerConfig("max_connections", "120")
                .setServerConfig("max_locks_per_transaction", "10")
                .setServerConfig("synchronous_commit", "on")
                .setServerConfig("track_commit_timestamp", "on")
                .setServerConfig("wal_keep_size", "512MB")
                .setServerConfig("wal_retrieve_retry_interval", "200ms")
                .start();
    }

    int port() {
        return primary.getPort();
    }

    String url() {
        return primary.getJdbcUrl(NOBODY, "postgres");
    }

    /** As {@code pg_ctl restart -m immediate}: PostgreSQL stops as in a crash, and recovers. */
    void restartImmediately() {
        pgCtl("restart", data);
    }

    /** PostgreSQL's own program, which the embedded server has run, too. */
    private static void pgCtl(String what, Path data) {
        try {
            String postgres = Files.readString(data.resolve("postmaster.opts")).split(" ", -1)[0];
            List<String> command = new ArrayList<>();
            if (System.getProperty("user.name").equals("root")) {
                // It refuses to run as root.
                command.addAll(List.of("unshare", "-U"));
            }
            command.addAll(List.of(
                    Path.of(postgres).resolveSibling("pg_ctl").toString(),
                    what,
                    "-D",
                    data.toString(),
                    "-m",
                    "immediate",
                    "-w",
                    "-s"));
            Process process = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException(command + " has failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    boolean hasStandby() {
        return standby != null;
    }

    /** Copies the running server; from then on each commit waits for the standby to have it. */
    void makeStandby() {
        try (Connection connection = DriverManager.getConnection(url());
                Statement statement = connection.createStatement()) {
            boolean older = connection.getMetaData().getDatabaseMajorVersion() < 15;
            Path target = directory.resolve("data-" + all.size());
            statement.execute(
                    older ? "select pg_start_backup('copy', true, false)" : "select pg_backup_start('copy', true)");
            copy(data, target);
            try (ResultSet result = statement.executeQuery(
                    "select labelfile from " + (older ? "pg_stop_backup(false, false)" : "pg_backup_stop(false)"))) {
                result.next();
                Files.writeString(target.resolve("backup_label"), result.getString(1));
            }
            Files.createFile(target.resolve("standby.signal"));
            Files.writeString(
                    target.resolve("postgresql.auto.conf"),
                    "primary_conninfo = 'host=localhost user=postgres application_name=standby port=" + port() + "'\n");
            EmbeddedPostgres started = startIn(target);
            all.add(started);
            standby = started;
            copy = target;
            statement.execute("alter system set synchronous_standby_names = 'standby'");
            statement.execute("select pg_reload_conf()");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** While the server goes on; what is missing afterwards, the standby gets from the server. */
    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                Files.createDirectories(to.resolve(from.relativize(directory).toString()));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                boolean isOfTheRun = file.startsWith(from.resolve("pg_wal"))
                        || file.startsWith(from.resolve("pg_replslot"))
                        || file.getFileName().toString().startsWith("postmaster.");
                if (!isOfTheRun) {
                    try {
                        Files.copy(file, to.resolve(from.relativize(file).toString()));
                    } catch (NoSuchFileException e) {
                        return visitFileFailed(file, e);
                    }
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                    // The server has deleted it meanwhile.
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }
        });
        // PostgreSQL refuses a directory that others may read.
        to.toFile().setReadable(false, false);
        to.toFile().setReadable(true, true);
        to.toFile().setExecutable(false, false);
        to.toFile().setExecutable(true, true);
    }

    /** The server crashes, and the standby becomes the server. */
    void failOver() {
        EmbeddedPostgres promoted = Objects.requireNonNull(standby);
        pgCtl("stop", data);
        Path old = data;
        try (Connection connection = DriverManager.getConnection(promoted.getJdbcUrl(NOBODY, "postgres"));
                Statement statement = connection.createStatement()) {
            statement.execute("select pg_promote(true)");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        primary = promoted;
        data = Objects.requireNonNull(copy);
        standby = null;
        delete(old);
    }

    /** Nobody needs it any more, and after many failovers they would fill the disk. */
    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        // The standby first, as the server waits for it.
        for (int i = all.size() - 1; i >= 0; i--) {
            try {
                all.get(i).close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
