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
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresServerTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Test
    void scratchDatabases_areEmptyApartAndDropped() throws SQLException {
        try (PostgresServer server = PostgresServer.start()) {
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
    void namedServer_isUsedAndNotStopped() throws SQLException {
        try (EmbeddedSource running = EmbeddedSource.start("any")) {
            try (PostgresServer named = PostgresServer.start(running.url())) {
                assertThat(named.url()).isEqualTo(running.url());
            }
            execute(running.url(), "select 1");
        }
    }

    @Test
    void namedServer_thatRefuses_isAnError() {
        assertThatThrownBy(() -> PostgresServer.start("postgresql://u:secret@127.0.0.1:1/db"))
                .isInstanceOf(PostgresUnavailableException.class)
                .hasMessageContaining("PALS_DB_URL")
                .hasMessageNotContaining("secret");
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

    @Test
    void jvmKilledWhileTheServerIsBeingSetUp_leavesNoDirectoryAndNoProcess(@TempDir Path temporary)
            throws IOException, InterruptedException {
        Process process = startServerIn(temporary);
        await().pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .until(() -> !directories(temporary).isEmpty());

        process.destroyForcibly().waitFor();

        await().atMost(PATIENCE)
                .until(() ->
                        directories(temporary).isEmpty() && usersOf(temporary).isEmpty());
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
