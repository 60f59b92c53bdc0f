package dev.pals.benchmarks.harness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pals.benchmarks.contender.Contender;
import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Locks;
import dev.pals.benchmarks.contender.Place;
import dev.pals.benchmarks.report.Figure;
import dev.pals.benchmarks.report.Metric;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Lost connections, on a real server. */
class LossTest extends WithArena {
    @Test
    void ended_fewAndMany_hasAFigureOfEach() throws Exception {
        Results results = new Results();
        try (Crew crew = new Crew(Path.of(System.getProperty("java.home")), List.of(), arena.counters())) {
            new Loss(
                            arena,
                            crew,
                            results,
                            new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8))
                    .ended(1);
        }
        assertThat(results.notes()).isEmpty();
        assertThat(results.figures())
                .allSatisfy(figure -> assertThat(figure.metric()).isEqualTo(Metric.NOTICED))
                .extracting(figure -> figure.load())
                .containsExactly(
                        "ended by the server, 10 locks held",
                        "ended by the server, 10,000 locks held",
                        "ended by the server, 10 locks held in 4 JVMs",
                        "ended by the server, 10,000 locks held in 4 JVMs");
    }

    @Test
    void measure_serverIsNotThere_keepsWhatWasMeasuredBeforeAndSaysSo() throws Exception {
        Results results = new Results();
        Place nowhere = new Place(arena.url().replaceFirst("/pals_[^?]*", "/nowhere"), null, 10);
        try (Crew crew = new Crew(Path.of(System.getProperty("java.home")), List.of(), arena.counters())) {
            Loss loss = new Loss(
                    arena,
                    crew,
                    results,
                    new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8));
            results.add(new Figure("before", Contestant.PALS_2.id(), Metric.NOTICED, 1, 1));
            loss.measure("gone", nowhere, 1, 10, 1, () -> {}, crew::closeContender);
        }
        assertThat(results.figures()).hasSize(1);
        assertThat(results.notes())
                .singleElement()
                .matches(Note::failed)
                .satisfies(note -> assertThat(note.text()).contains("nowhere"));
    }

    @Test
    void untilAllAreLost_connectionLives_isNotCountedDown() throws Exception {
        try (Contender contender = Contestant.PALS_2.open(arena.place(3))) {
            contender.hold(100, 3);
            CountDownLatch left = contender.untilAllAreLost();
            try (Contender other = Contestant.PALS_2.open(arena.place(0));
                    Locks locks = other.locks()) {
                assertThat(locks.tryLocked(100, () -> {})).isFalse();
            }
            assertThat(left.getCount()).isEqualTo(3);
        }
    }

    @Test
    void silence_connectionIsOpen_answersNoMoreAndStaysOpen() throws Exception {
        try (SilentNetwork network = new SilentNetwork(arena.url());
                Connection connection = DriverManager.getConnection(network.url())) {
            assertThat(connection.isValid(0)).isTrue();
            network.silence();
            connection.setNetworkTimeout(Runnable::run, (int) TimeUnit.SECONDS.toMillis(1));
            assertThatThrownBy(() -> connection.createStatement().execute("select 1"))
                    .hasRootCauseInstanceOf(SocketTimeoutException.class);
        }
    }
}
