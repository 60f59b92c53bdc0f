package dev.pals.db.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresServerTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static PostgresServer server;

    @BeforeAll
    static void startServer() {
        server = PostgresServer.start();
    }

    @AfterAll
    static void stopServer() {
        server.close();
        server.close();
    }

    @Test
    void startedServer_answers() throws SQLException {
        assertThat(count(server.url(), "select 1")).isEqualTo(1);
    }

    @Test
    void scratchDatabases_areEmptyApartAndDropped() throws SQLException {
        ScratchDatabase first = server.newDatabase();
        try (ScratchDatabase second = server.newDatabase()) {
            execute(first.url(), "create table t (id int)");
            assertThat(count(first.url(), "select count(*) from pg_tables where schemaname = 'public'"))
                    .isEqualTo(1);
            assertThat(count(second.url(), "select count(*) from pg_tables where schemaname = 'public'"))
                    .isZero();
        }
        first.close();
        first.close();
        assertThatThrownBy(() -> execute(first.url(), "select 1")).isInstanceOf(SQLException.class);
    }

    @Test
    void scratchDatabase_inUse_isDroppedAllTheSame() throws SQLException {
        ScratchDatabase database = server.newDatabase();
        try (Connection user = DriverManager.getConnection(database.url())) {
            database.close();

            assertThat(user.isValid(5)).isFalse();
        }
    }

    @Test
    void scratchDatabase_keepsUserAndOptions() {
        try (ScratchDatabase database = server.newDatabase()) {
            assertThat(database.url()).matches("jdbc:postgresql://[^/]+/pals_[0-9a-f]{32}(\\?.*)?");
            assertThat(database.url().replaceFirst("^[^?]*", ""))
                    .isEqualTo(server.url().replaceFirst("^[^?]*", ""));
        }
    }

    @Test
    void embeddedServers_two_doNotShareFiles() throws SQLException {
        EmbeddedSource first = EmbeddedSource.start("any");
        try (EmbeddedSource second = EmbeddedSource.start("any")) {
            first.close();
            first.close();
            assertThatThrownBy(() -> execute(first.url(), "select 1")).isInstanceOf(SQLException.class);
            // A new backend reads the binaries' files.
            assertThat(count(second.url(), "select count(*) from pg_timezone_names"))
                    .isPositive();
        }
    }

    @Test
    void embeddedServer_withSettings_hasThem() throws SQLException {
        try (EmbeddedSource server =
                EmbeddedSource.start("any", Map.of("fsync", "on", "shared_preload_libraries", "pg_stat_statements"))) {
            assertThat(count(
                            server.url(),
                            "select count(*) from pg_settings where (name, setting) in"
                                    + " (('fsync', 'on'), ('shared_preload_libraries', 'pg_stat_statements'))"))
                    .isEqualTo(2);
        }
    }

    @Test
    void namedServer_isUsedAndNotStopped() throws SQLException {
        try (EmbeddedSource running = EmbeddedSource.start("any")) {
            String libpq = running.url()
                    .replaceFirst("^jdbc:postgresql://([^/]+)/([^?]*).*$", "postgresql://postgres:any@$1/$2");
            for (String url : List.of(running.url(), libpq)) {
                PostgresServer named = PostgresServer.start(url);
                try (ScratchDatabase database = named.newDatabase()) {
                    assertThat(count(database.url(), "select 1")).isEqualTo(1);
                }
                named.close();
                named.close();
            }
            execute(running.url(), "select 1");
        }
    }

    @Test
    void namedServer_thatRefuses_isAnError() {
        assertThatThrownBy(() -> PostgresServer.start("postgresql://u:secret@127.0.0.1:1/db"))
                .isInstanceOf(PostgresUnavailableException.class)
                .hasMessageContaining("PALS_DB_URL")
                .hasMessageNotContaining("secret")
                .hasStackTraceContaining("127.0.0.1:1")
                .satisfies(e -> assertThat(String.valueOf(e.getCause())).doesNotContain("secret"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"SIGKILL", "SIGTERM"})
    void endedJvm_leavesNoProcessAndNoDirectory(String signal, @TempDir Path temporary)
            throws IOException, InterruptedException {
        Process process = startServerIn(temporary);
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(output.readLine()).startsWith("jdbc:postgresql:");
            long postmaster = postmaster(temporary);
            assertThat(ProcessHandle.of(postmaster)).isPresent();

            ending(signal).accept(process);
            process.waitFor();

            await().atMost(PATIENCE)
                    .until(() -> !isAlive(postmaster) && directories(temporary).isEmpty());
        }
    }

    /** From the first moment on: the directory, the extracted binaries, {@code initdb}, the starting server. */
    @ParameterizedTest
    @ValueSource(strings = {"", "PG-", "data/PG_VERSION", "data/postmaster.pid"})
    void jvmKilledWhileTheServerIsBeingSetUp_leavesNoDirectoryAndNoProcess(String moment, @TempDir Path temporary)
            throws IOException, InterruptedException {
        Process process = startServerIn(temporary);
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .atMost(PATIENCE)
                .until(() -> hasReached(moment, temporary));

        process.destroyForcibly().waitFor();

        await().atMost(PATIENCE)
                .until(() ->
                        directories(temporary).isEmpty() && usersOf(temporary).isEmpty());
    }

    /** Whether a server's directory has a file of which the path starts so. */
    private static boolean hasReached(String moment, Path temporary) throws IOException {
        for (Path directory : directories(temporary)) {
            if (moment.isEmpty() || Files.exists(directory.resolve(moment))) {
                return true;
            }
            try (Stream<Path> files = Files.list(directory)) {
                if (files.anyMatch(file -> file.getFileName().toString().startsWith(moment))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static Consumer<Process> ending(String signal) {
        return signal.equals("SIGKILL") ? Process::destroyForcibly : Process::destroy;
    }

    private static Process startServerIn(Path temporary) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        System.getProperty("java.class.path"),
                        EmbeddedServerMain.class.getName())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static List<Path> directories(Path temporary) throws IOException {
        try (Stream<Path> files = Files.list(temporary)) {
            return files.filter(file -> file.getFileName().toString().startsWith("pals-postgres-"))
                    .toList();
        }
    }

    /** The processes whose command line names the directory, its reaper among them. */
    private static List<ProcessHandle> usersOf(Path directory) {
        return ProcessHandle.allProcesses()
                .filter(process -> process.info().commandLine().orElse("").contains(directory.toString()))
                .toList();
    }

    private static long postmaster(Path temporary) throws IOException {
        Path pidFile = directories(temporary).get(0).resolve(Reaper.DATA).resolve("postmaster.pid");
        return Long.parseLong(Files.readAllLines(pidFile).get(0));
    }

    private static boolean isAlive(long pid) {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    private static void execute(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static long count(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getLong(1);
        }
    }
}
