package dev.pals.benchmarks.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.benchmarks.report.Metric;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import java.io.OutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

/** That a measurement of loss that fails takes nothing with it. */
class LossTest {
    @Test
    void measure_serverIsNotThere_keepsWhatWasMeasuredBeforeAndSaysSo() throws Exception {
        Results results = new Results();
        try (Arena arena = Arena.open(false);
                PrintStream out = new PrintStream(OutputStream.nullOutputStream())) {
            Loss.measure(arena.url(), 1, results, out);
            Loss.measure(arena.url().replaceFirst("/pals_[^?]*", "/nowhere"), 2, results, out);
        }
        assertThat(results.figures())
                .singleElement()
                .satisfies(figure -> assertThat(figure.metric()).isEqualTo(Metric.NOTICED));
        assertThat(results.notes())
                .singleElement()
                .matches(Note::failed)
                .satisfies(note -> assertThat(note.text()).contains("nowhere"));
    }
}
