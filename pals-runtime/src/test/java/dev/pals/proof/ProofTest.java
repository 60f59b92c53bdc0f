package dev.pals.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs lock at random while faults come at random: nothing happens that must not. */
final class ProofTest {
    private static final Duration ROUND = Duration.ofSeconds(20);
    /** In shorter ones these may not come. */
    private static final Duration LONG = Duration.ofMinutes(3);

    private static final double MOST_EXCUSED = 0.25;
    private static final Path REPORT = Path.of("target", "proof", "table.md");
    private static final Path VIOLATED = Path.of("target", "proof", "violated.txt");

    @TempDir
    private Path directory;

    @Test
    void programs_underFaults_showNoViolation() throws IOException {
        long seed = Long.getLong("proof.seed", new Random().nextInt(1_000_000));
        Duration duration = Duration.parse(System.getProperty("proof.duration", "PT40S"));
        System.out.println("proof: seed " + seed + " for " + duration + "; again with -Dproof.seed=" + seed);
        Files.createDirectories(REPORT.getParent());
        Files.deleteIfExists(VIOLATED);
        assertTimeoutPreemptively(duration.plusMinutes(8), () -> assertNoViolation(everything(seed, duration)));
    }

    private void assertNoViolation(ProofSettings settings) throws Exception {
        try (ProofServer server = ProofServer.start(directory);
                ProofRun run = new ProofRun(server, settings)) {
            List<Violation> violations = run.run();
            String report = "Seed " + settings.seed() + "\n\n" + run.table() + "\n" + run.progress() + "\n";
            System.out.println(report);
            Files.writeString(REPORT, report);
            History violated = run.violated();
            if (violated != null) {
                Files.write(VIOLATED, violated.lines());
            }

            assertThat(violations).as("violations with seed " + settings.seed()).isEmpty();
            assertThat(run.table().struck()).as("faults").containsAll(settings.faults());
            // 500 in 30 minutes.
            assertThat(run.table().count()).as("faults").isGreaterThanOrEqualTo((int)
                    (settings.duration().toSeconds()
                            * 500
                            / Duration.ofMinutes(30).toSeconds()));
            assertThat(run.sections())
                    .as("sections")
                    .isGreaterThan(3 * settings.duration().toSeconds());
            assertThat(run.excusedShare()).as("share of what was excused").isLessThan(MOST_EXCUSED);
            if (settings.duration().compareTo(LONG) >= 0) {
                assertThat(run.lossesDue()).as("losses that had to be told").isPositive();
                assertThat(run.lossesUncalledFor())
                        .as("sections where no loss could be explained")
                        .isGreaterThan(run.sections() / 20);
            }
            assertThat(run.refused()).as("writes that the fence refused").isPositive();
        }
    }

    /** Workers of all kinds, all that they do, and all faults. */
    private static ProofSettings everything(long seed, Duration duration) {
        return new ProofSettings(
                seed,
                duration,
                ROUND,
                List.of(Profile.values()),
                2,
                6,
                Step.mixed(),
                EnumSet.allOf(Fault.class),
                Duration.ofMillis(800),
                true,
                Duration.ofSeconds(6),
                System.getProperty("java.class.path"));
    }
}
