package dev.pals;

import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor.Version;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.awaitility.core.TerminalFailureException;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/**
 * A PgBouncer between a program and PostgreSQL. Where it is not installed, the test that starts one is skipped.
 *
 * <pre>{@code
 * try (PgBouncer bouncer = PgBouncer.start(database.url(), PgBouncer.PoolMode.TRANSACTION, 2);
 *         Connection client = DriverManager.getConnection(bouncer.url())) {
 *     // What client does, others see, since they share two sessions.
 * }
 * }</pre>
 *
 * @see <a href="https://www.pgbouncer.org/config.html">Its settings</a>
 */
final class PgBouncer implements AutoCloseable {
    private static final String PROGRAM = "pgbouncer";
    private static final String SETTINGS = "pgbouncer.ini";
    private static final String LOG = "log";

    /**
     * Ends it, and deletes its directory, as soon as the input ends: at the latest when this JVM does, however it does.
     */
    private static final String SCRIPT = """
            trap '' HUP INT TERM
            directory=$1
            shift
            "$@" >"$directory/%s" 2>&1 &
            cat >/dev/null
            kill -KILL $!
            rm -rf "$directory"
            """.formatted(LOG);

    private final Path directory;
    private final Process process;
    private final String url;

    /** For how long a client has a session of PostgreSQL to itself. */
    enum PoolMode {
        SESSION,
        TRANSACTION,
        STATEMENT
    }

    private PgBouncer(Path directory, Process process, String url) {
        this.directory = directory;
        this.process = process;
        this.url = url;
    }

    /**
     * Starts one on a free port of the loopback interface, and returns when clients get through to PostgreSQL.
     *
     * @param jdbcUrl of the database; all clients become the role that it names
     * @param sessions how many sessions of PostgreSQL all clients share; further ones wait
     */
    static PgBouncer start(String jdbcUrl, PoolMode mode, int sessions) {
        return start(jdbcUrl, mode, sessions, "");
    }

    /** With a line more in its settings. */
    static PgBouncer start(String jdbcUrl, PoolMode mode, int sessions, String setting) {
        Path program = installed();
        Properties target = Objects.requireNonNull(Driver.parseURL(jdbcUrl, null), "not a URL of PostgreSQL");
        try {
            int port = freePort();
            Path directory = Files.createTempDirectory("pals-pgbouncer-");
            Files.createFile(directory.resolve(LOG));
            Files.writeString(directory.resolve(SETTINGS), settings(target, mode, sessions, port) + setting);
            // PgBouncer knows each client's database by name, and asks for no password here.
            String url = "jdbc:postgresql://" + InetAddress.getLoopbackAddress().getHostAddress() + ":" + port + "/"
                    + PGProperty.PG_DBNAME.getOrDefault(target) + "?user=client";
            PgBouncer bouncer = new PgBouncer(directory, run(program, directory), url);
            bouncer.awaitUp();
            return bouncer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Skips the test where PgBouncer may know prepared statements. */
    static void assumeIsBefore(Version version) {
        assumeThat(version()).as("PgBouncer's version").isLessThan(version);
    }

    private static Version version() {
        try {
            Process process = new ProcessBuilder(installed().toString(), "--version").start();
            try (BufferedReader output = process.inputReader()) {
                // "PgBouncer 1.18.0"
                return Version.parse(Objects.requireNonNull(output.readLine()).split(" ", -1)[1]);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path installed() {
        // On Debian, it is where only root's search path leads to.
        String path = System.getenv("PATH") + File.pathSeparator + "/usr/sbin";
        Optional<Path> program = Stream.of(path.split(File.pathSeparator))
                .map(folder -> Path.of(folder, PROGRAM))
                .filter(Files::isExecutable)
                .findFirst();
        assumeThat(program)
                .as("the program %s, which this test needs and .ci/run installs", PROGRAM)
                .isPresent();
        return program.orElseThrow();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String settings(Properties target, PoolMode mode, int sessions, int port) throws IOException {
        // An address, since PgBouncer would take turns where a name has several.
        String host =
                InetAddress.getByName(PGProperty.PG_HOST.getOrDefault(target)).getHostAddress();
        String user = Objects.requireNonNullElse(PGProperty.USER.getOrDefault(target), System.getProperty("user.name"));
        String password = PGProperty.PASSWORD.getOrDefault(target);
        return """
                [databases]
                %s = host=%s port=%s user=%s%s
                [pgbouncer]
                listen_addr = %s
                listen_port = %d
                unix_socket_dir =
                auth_type = any
                pool_mode = %s
                default_pool_size = %d
                max_client_conn = 500
                # The driver sends it at the start; PgBouncer refuses what it does not know.
                ignore_startup_parameters = extra_float_digits
                """.formatted(
                        PGProperty.PG_DBNAME.getOrDefault(target),
                        host,
                        PGProperty.PG_PORT.getOrDefault(target),
                        quoted(user),
                        password == null || password.isEmpty() ? "" : " password=" + quoted(password),
                        InetAddress.getLoopbackAddress().getHostAddress(),
                        port,
                        mode.name().toLowerCase(Locale.ROOT),
                        sessions);
    }

    private static String quoted(String value) {
        return "'" + value.replace("'", "''") + "'";
    }

    private static Process run(Path program, Path directory) throws IOException {
        List<String> command = new ArrayList<>(List.of("sh", "-c", SCRIPT, "pgbouncer-reaper", directory.toString()));
        command.add(program.toString());
        if (System.getProperty("user.name").equals("root")) {
            // It does not run as root; it reads its settings before it becomes somebody else.
            command.addAll(List.of("-u", "nobody"));
        }
        command.add(directory.resolve(SETTINGS).toString());
        return new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private void awaitUp() throws IOException {
        try {
            await().atMost(TestDatabase.PATIENCE)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(20))
                    .failFast(() -> log().contains("FATAL"))
                    .until(this::accepts);
        } catch (ConditionTimeoutException | TerminalFailureException e) {
            String log = log();
            close();
            throw new IllegalStateException("PgBouncer lets nobody through:\n" + log, e);
        }
    }

    private String log() throws IOException {
        return Files.readString(directory.resolve(LOG));
    }

    private boolean accepts() {
        try (Connection connection = DriverManager.getConnection(url())) {
            return connection.isValid(1);
        } catch (SQLException e) {
            return false;
        }
    }

    /**
     * The URL that leads through it, for a driver that prepares nothing on the server: through a PgBouncer before 1.21,
     * in transaction and statement mode, a name that one client has prepared is there for another client and not for
     * the one that prepared it. From 1.21 on, PgBouncer's setting {@code max_prepared_statements} is another way, which
     * is on by default from 1.24 on.
     */
    String url() {
        return TestDatabase.urlWith(preparingUrl(), "prepareThreshold=0");
    }

    /**
     * The same with the driver's default, which prepares a statement on the server when it is executed a fifth time.
     */
    String preparingUrl() {
        return url;
    }

    /** Ends it and the connections of all of its clients. Idempotent. */
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            process.waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            // It ends by itself.
            Thread.currentThread().interrupt();
        }
    }
}
