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
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
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
    private static final Duration ROUND = Duration.ofSeconds(3);
    /** At its end pauses are cut short, and who has lost a lock must have gone on for seconds by then. */
    private static final Duration LONG_ROUND = Duration.ofSeconds(10);

    private static final Set<SeededBug> LONG =
            EnumSet.of(SeededBug.LOST_EVENT_DROPPED, SeededBug.TRANSACTION_UNCONFIRMED);
    private static final Duration BETWEEN_FAULTS = Duration.ofMillis(200);
    private static final Duration TOLD_WITHIN = Duration.ofSeconds(2);

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

    /** The control: what the bugs are found by finds nothing in the engine as it is. */
    @Test
    void noBug_nothingIsFound() throws Exception {
        assertNothingIsFound(System.getProperty("java.class.path"));
    }

    /** No bug: every other thread is refused, as by an operating system that has none to give. */
    @Test
    void threadsAreRefused_nothingIsFound() throws Exception {
        new ChangedSource("internal/session/Sessions", "Thread thread = new Thread(work, name);", """
                        if (!name.endsWith("watchdog") && Math.random() < 0.5) {
                            throw new OutOfMemoryError("unable to create native thread");
                        }
                        Thread thread = new Thread(work, name);
                        """)
                .compileTo(classes);

        assertNothingIsFound(classes + File.pathSeparator + System.getProperty("java.class.path"));
    }

    private static void assertNothingIsFound(String classPath) throws Exception {
        ProofSettings settings = new ProofSettings(
                1,
                Duration.ofSeconds(10),
                ROUND,
                List.of(Profile.PLAIN, Profile.NARROW, Profile.POOLED),
                3,
                3,
                List.of(Step.values()),
                EnumSet.of(Fault.GRANTED_CANCELLED, Fault.HOLDER_TERMINATED),
                BETWEEN_FAULTS,
                false,
                TOLD_WITHIN,
                classPath);
        try (ProofRun run = new ProofRun(server, settings)) {
            assertThat(run.run()).isEmpty();
            assertThat(run.sections()).isGreaterThan(20);
        }
    }

    private void assertFound(SeededBug bug, ProofServer where) throws Exception {
        bug.source().compileTo(classes);
        long start = System.nanoTime();
        ProofSettings settings = new ProofSettings(
                1,
                Duration.ofSeconds(100),
                LONG.contains(bug) ? LONG_ROUND : ROUND,
                Collections.nCopies(2, bug.profile()),
                4,
                3,
                bug.steps(),
                bug.faults(),
                BETWEEN_FAULTS,
                false,
                TOLD_WITHIN,
                classes + File.pathSeparator + System.getProperty("java.class.path"));
        try (ProofRun run = new ProofRun(where, settings)) {
            // One mistake may break several rules, and it is by chance which one shows first.
            List<Violation> violations = run.runUntil(bug.rule()::equals);

            System.out.println(bug + " after " + Duration.ofNanos(System.nanoTime() - start) + ": " + run.progress());
            assertThat(violations).extracting(Violation::rule).contains(bug.rule());
        }
    }
}
