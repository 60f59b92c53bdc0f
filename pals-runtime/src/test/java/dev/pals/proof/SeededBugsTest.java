package dev.pals.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pals.lock.UnsafeServerException;
import java.io.File;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** A proof that finds nothing in a broken engine would be worth nothing. Each mistake is found, by its name. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SeededBugsTest {
    @TempDir
    private static Path serverDirectory;

    private static ProofServer server;

    @TempDir
    private Path classes;

    @BeforeAll
    static void startServer() {
        server = ProofServer.start(serverDirectory);
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "PROBE_SKIPPED")
    void seededBug_isFoundByName(SeededBug bug) throws Exception {
        assertFound(bug, server);
    }

    @Test
    void probeSkipped_onAServerWhoseLocksExcludeNobody_isFoundByName(@TempDir Path directory) throws Exception {
        try (ProofServer unsafe = ProofServer.start(directory);
                Connection connection = DriverManager.getConnection(unsafe.url());
                Statement statement = connection.createStatement()) {
            for (String function : List.of("pg_try_advisory_lock", "pg_advisory_unlock")) {
                statement.execute("create or replace function pg_catalog." + function
                        + "(bigint) returns boolean language sql as 'select true'");
            }

            assertThatThrownBy(() -> Profile.PLAIN.open(unsafe.url(), null)).isInstanceOf(UnsafeServerException.class);
            assertFound(SeededBug.PROBE_SKIPPED, unsafe);
        }
    }

    private void assertFound(SeededBug bug, ProofServer where) throws Exception {
        bug.compileTo(classes);
        long start = System.nanoTime();
        try (ProofRun run = new ProofRun(where, settings(bug))) {
            List<Violation> violations = run.run();

            System.out.println(bug + " after " + Duration.ofNanos(System.nanoTime() - start) + ": " + run.progress());
            assertThat(violations).extracting(Violation::rule).contains(bug.rule());
        }
    }

    private ProofSettings settings(SeededBug bug) {
        return new ProofSettings(
                1,
                Duration.ofSeconds(60),
                Duration.ofSeconds(3),
                Collections.nCopies(2, bug.profile()),
                4,
                3,
                bug.steps(),
                bug.faults(),
                Duration.ofMillis(200),
                false,
                Duration.ofSeconds(1),
                classes + File.pathSeparator + System.getProperty("java.class.path"));
    }
}
