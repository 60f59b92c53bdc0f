package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Passwords are for PostgreSQL alone, whatever goes wrong and however much is logged. */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PasswordsTest {
    private static final String SECRET = "correct-horse-battery-staple";

    @TempDir
    private Path directory;

    @Test
    void password_inLogsExceptionsTextsAndRecordings_isNowhere() throws Exception {
        Path recording = directory.resolve("recording.jfr");
        String output;
        try (EmbeddedPostgres server = serverThatAsks()) {
            output =
                    outputOf("jdbc:postgresql://127.0.0.1:" + server.getPort() + "/postgres?user=secretive", recording);
        }

        assertThat(output.lines()).contains("done");
        // What is searched is there: logs of each library, failures of each kind.
        assertThat(output)
                .contains("TRACE", "FINE", "com.zaxxer.hikari", "org.postgresql", "org.jooq", "flyway")
                .contains("dev.pals.lock.LockTimeoutException", "dev.pals.lock.LockLostException")
                .contains("secretive", "no-such-database", "IllegalArgumentException", "LockDatabaseException")
                .doesNotContain("Went well");
        assertThat(output.lines().filter(line -> line.contains(SECRET))).isEmpty();

        List<RecordedEvent> events = RecordingFile.readAllEvents(recording);
        assertThat(events)
                .extracting(event -> event.getEventType().getName())
                .contains("dev.pals.LockAcquired", "dev.pals.LockLost", "jdk.InitialEnvironmentVariable");
        assertThat(events).noneMatch(event -> event.toString().contains(SECRET));
    }

    /** The embedded server trusts everybody otherwise. */
    private EmbeddedPostgres serverThatAsks() throws IOException, SQLException {
        Path data = directory.resolve("data");
        EmbeddedPostgres server = EmbeddedPostgres.builder()
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .start();
        Path access = data.resolve("pg_hba.conf");
        Files.writeString(access, "host all secretive all scram-sha-256\n" + Files.readString(access));
        try (Connection connection = DriverManager.getConnection(server.getJdbcUrl("postgres", "postgres"));
                Statement statement = connection.createStatement()) {
            statement.execute("create role secretive login superuser password '" + SECRET + "'");
            statement.execute("select pg_reload_conf()");
        }
        return server;
    }

    private String outputOf(String url, Path recording) throws Exception {
        Path logging = Files.writeString(directory.resolve("logging.properties"), """
                handlers = java.util.logging.ConsoleHandler
                .level = ALL
                sun.level = INFO
                jdk.level = INFO
                java.util.logging.ConsoleHandler.level = ALL
                """);
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=trace",
                        "-Djava.util.logging.config.file=" + logging,
                        "-cp",
                        System.getProperty("java.class.path"),
                        PasswordsMain.class.getName(),
                        recording.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try (var input = process.outputWriter()) {
            input.write(url + "\n" + SECRET + "\n");
            input.flush();
            assertThat(process.waitFor(180, TimeUnit.SECONDS))
                    .as("it has ended")
                    .isTrue();
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(output);
    }
}
