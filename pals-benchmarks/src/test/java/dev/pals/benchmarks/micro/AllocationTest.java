package dev.pals.benchmarks.micro;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.benchmarks.contender.Contender;
import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.harness.Arena;
import dev.pals.benchmarks.report.Figure;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import java.io.OutputStream;
import java.io.PrintStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** JMH on a real server, with a contender that fails, and one that has left its locks. */
class AllocationTest {
    private static final int KEY_OF_THE_CYCLE = 1;

    @Test
    void measure_oneFails_isNamedWithItsReasonAndTheOthersAreMeasured() throws Exception {
        Results results = new Results();
        try (Arena arena = Arena.open(false);
                PrintStream out = new PrintStream(OutputStream.nullOutputStream())) {
            try (Connection connection = DriverManager.getConnection(arena.url());
                    Statement statement = connection.createStatement()) {
                statement.execute("alter table int_lock drop column region");
            }
            try (Contender before = Contestant.SHEDLOCK_JDBC.open(arena.place(0))) {
                before.hold(KEY_OF_THE_CYCLE, 1);
            }
            Allocation.measure(arena, List.of(Contestant.SPRING, Contestant.SHEDLOCK_JDBC), 1, 50, results, out);
        }
        assertThat(results.notes()).singleElement().matches(Note::failed).satisfies(note -> {
            assertThat(note.contender()).isEqualTo(Contestant.SPRING.id());
            assertThat(note.text()).containsIgnoringCase("region");
        });
        assertThat(results.figures()).extracting(Figure::contender).containsOnly(Contestant.SHEDLOCK_JDBC.id());
    }
}
