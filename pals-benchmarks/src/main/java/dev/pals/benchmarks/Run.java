package dev.pals.benchmarks;

import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Measures parts, one after the other. Each is kept as soon as it is over, also what one has found that has failed. */
final class Run {
    private final ResultFiles kept;
    private final PrintStream out;
    private final long began = System.nanoTime();

    Run(ResultFiles kept, PrintStream out) {
        this.kept = kept;
        this.out = out;
    }

    /** How a part is measured: what is found is added at once. */
    @FunctionalInterface
    interface Measuring {
        void measure(Part part, Results results) throws Exception;
    }

    /** Whether nothing has failed. */
    boolean succeeds(List<Part> parts, Measuring measuring) throws IOException {
        boolean succeeded = true;
        for (Part part : parts) {
            out.printf(
                    "== %s: part %d of %d, %d min so far%n",
                    part.name(),
                    parts.indexOf(part) + 1,
                    parts.size(),
                    TimeUnit.NANOSECONDS.toMinutes(System.nanoTime() - began));
            Results results = new Results();
            try {
                measuring.measure(part, results);
            } catch (Exception e) {
                e.printStackTrace(out);
                results.add(Note.failure(part.name(), e));
            }
            kept.write(part.name(), results);
            succeeded &= results.notes().stream().noneMatch(Note::failed);
        }
        return succeeded;
    }
}
