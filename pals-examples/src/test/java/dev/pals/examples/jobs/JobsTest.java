package dev.pals.examples.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class JobsTest {
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();

    /** The workers themselves see to it that they have locked no row but those that they have claimed. */
    @Test
    void jobs_claimedByEightWorkersInTwoProcesses_areDoneOnceEach() {
        int status = run();

        assertThat(text())
                .contains("5,000 of 5,000 jobs done")
                .contains("CORRECT: 5,000 jobs by 8 workers, 0 lost, 0 done again, 0 locks left.");
        assertThat(status).isZero();
    }

    @Test
    void jobs_withoutLocks_areDoneMoreThanOnce() {
        int status = run("--jobs", "200", "--no-locks");

        assertThat(text()).contains("WRONG: 200 jobs by ").doesNotContain(" 0 done again");
        assertThat(status).isEqualTo(1);
    }

    private int run(String... args) {
        return new CommandLine(new Jobs(new PrintStream(output, true, StandardCharsets.UTF_8))).execute(args);
    }

    private String text() {
        return output.toString(StandardCharsets.UTF_8);
    }
}
