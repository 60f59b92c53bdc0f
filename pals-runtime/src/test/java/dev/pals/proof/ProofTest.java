package dev.pals.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs lock at random while faults come at random: nothing happens that must not. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ProofTest {
    private static final int SMALL_ROUNDS = 2;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(longs = {7, 2026})
    void fixedSeed_underFaults_showsNoViolation(long seed) throws Exception {
        assertNoViolation(seed);
    }

    @Test
    void newSeed_underFaults_showsNoViolation() throws Exception {
        assertNoViolation(Long.getLong("proof.seed", new Random().nextInt(1_000_000)));
    }

    private void assertNoViolation(long seed) throws Exception {
        System.out.println("proof: seed " + seed + "; again with -Dtest=ProofTest -Dproof.seed=" + seed);
        try (ProofServer server = ProofServer.start(directory);
                ProofRun run = new ProofRun(server, everything(seed, SMALL_ROUNDS, Duration.ofSeconds(8)))) {
            assertThat(run.run()).as("violations with seed " + seed).isEmpty();
            System.out.println(run.table());
            assertThat(run.table().count()).as("faults").isPositive();
            assertThat(run.sections()).as("sections").isGreaterThan(100);
        }
    }

    /** Workers of all kinds, all that they do, and all faults. */
    static ProofSettings everything(long seed, int rounds, Duration round) {
        return new ProofSettings(
                seed,
                rounds,
                round,
                List.of(Profile.values()),
                2,
                6,
                List.of(Step.values()),
                EnumSet.allOf(Fault.class),
                Duration.ofMillis(1_500),
                true,
                Duration.ofSeconds(8),
                System.getProperty("java.class.path"));
    }
}
