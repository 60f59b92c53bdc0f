package dev.pals.benchmarks.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Loads;
import dev.pals.benchmarks.report.Metric;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Turns in real processes, of which one fails. */
class RoundsTest {
    private static final int ROUNDS = 2;
    private static final long MILLIS = 100;
    private static final List<Contestant> CONTESTANTS =
            List.of(Contestant.RAW, Contestant.SHEDLOCK_JDBC, Contestant.PALS_2);

    /** Each turn begins with a truncation. From the second round on, rows are refused. */
    private static final String REFUSE_LATER = """
            create sequence turn;
            create function begin_turn() returns trigger language plpgsql as
              $$ begin perform nextval('turn'); return null; end $$;
            create function refuse_later() returns trigger language plpgsql as
              $$ begin
                if (select last_value > %d from turn) then raise 'out of order'; end if;
                return new;
              end $$;
            create trigger begin_turn after truncate on shedlock for each statement execute function begin_turn();
            create trigger refuse_later before insert on shedlock for each row execute function refuse_later();
            """.formatted(CONTESTANTS.size());

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @Test
    void run_aTurnFailsInTheFirstRound_theRoundCountsOnlyOnceNewWorkersAreWarm() throws Exception {
        Results results = new Results();
        try (Arena arena = Arena.open(false);
                Crew crew = new Crew(Path.of(System.getProperty("java.home")), List.of(), arena.counters());
                PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8)) {
            execute(arena, REFUSE_LATER);
            new Rounds(arena, crew, results, new Rounds.Pace(ROUNDS, MILLIS, 1), out)
                    .run(List.of(Loads.of(Loads.OWN_1)), load -> CONTESTANTS);
        }
        assertThat(results.notes()).singleElement().satisfies(note -> {
            assertThat(note.contender()).isEqualTo(Contestant.SHEDLOCK_JDBC.id());
            assertThat(note.failed()).isTrue();
        });
        assertThat(rounds(Contestant.SHEDLOCK_JDBC)).containsExactly(0);
        for (Contestant other : List.of(Contestant.RAW, Contestant.PALS_2)) {
            assertThat(rounds(other))
                    .endsWith(0, 1, 2)
                    .filteredOn(round -> round == 0)
                    .hasSize(2);
            assertThat(results.values(Loads.OWN_1, other.id(), Metric.RATE)).containsOnlyKeys(1, 2);
        }
        assertThat(results.figures())
                .as("none of the round that has failed")
                .filteredOn(figure -> figure.metric() == Metric.RATE)
                .hasSize(2 * ROUNDS);
        assertThat(results.notes()).extracting(Note::load).containsOnly(Loads.OWN_1);
    }

    /** In which a contender had turns, as it was said. */
    private List<Integer> rounds(Contestant contestant) {
        return said.toString(StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.contains(contestant.title()) && line.contains("cycles/s"))
                .map(line ->
                        Integer.parseInt(line.substring(0, line.indexOf('/')).strip()))
                .toList();
    }

    private static void execute(Arena arena, String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(arena.url());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
