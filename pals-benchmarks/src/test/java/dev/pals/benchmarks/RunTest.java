package dev.pals.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Loads;
import dev.pals.benchmarks.report.Figure;
import dev.pals.benchmarks.report.Metric;
import dev.pals.benchmarks.report.Report;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept of a run. */
class RunTest {
    private static final Part FIRST = part(Loads.OWN_1);
    private static final Part SECOND = part(Loads.HOT_8);

    @TempDir
    Path directory;

    private ResultFiles kept() {
        return new ResultFiles(directory);
    }

    private boolean succeeds(List<Part> parts, Run.Measuring measuring) throws IOException {
        return new Run(kept(), new PrintStream(OutputStream.nullOutputStream())).succeeds(parts, measuring);
    }

    @Test
    void succeeds_aPartFails_keepsWhatItHasFoundAndGoesOn() throws Exception {
        assertThat(succeeds(List.of(FIRST, SECOND), (part, results) -> {
                    results.add(figure(part, 1_000));
                    if (part.equals(FIRST)) {
                        throw new IOException("the server is gone\nand more");
                    }
                }))
                .isFalse();
        assertThat(kept().readAll().figures()).containsExactlyInAnyOrder(figure(FIRST, 1_000), figure(SECOND, 1_000));
        assertThat(Report.of(kept().readAll(), false).get("benchmarks.md"))
                .contains("## Failed")
                .contains("- `own-1`, the rest of this part: java.io.IOException: the server is gone\n");
    }

    @Test
    void succeeds_somePartsOnly_leavesTheOthersAsTheyWere() throws Exception {
        assertThat(succeeds(List.of(FIRST, SECOND), (part, results) -> results.add(figure(part, 1_000))))
                .isTrue();
        assertThat(succeeds(List.of(SECOND), (part, results) -> results.add(figure(part, 2_000))))
                .isTrue();
        assertThat(kept().readAll().figures()).containsExactlyInAnyOrder(figure(FIRST, 1_000), figure(SECOND, 2_000));
    }

    private static Part part(String name) {
        return Part.all().stream()
                .filter(part -> part.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Figure figure(Part part, double rate) {
        return new Figure(part.name(), Contestant.RAW.id(), Metric.RATE, 1, rate);
    }
}
