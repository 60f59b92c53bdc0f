package dev.pals.benchmarks.harness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Place;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Worker processes through several turns. */
class CrewTest {
    private static final long WARM_MILLIS = 50;
    private static final long MILLIS = 300;
    private static final Place NOWHERE = new Place("", null, 0);

    @Test
    void run_contenderBeforeDidNotExclude_nextOneLosesNoCount() throws Exception {
        // A lock of one JVM does not exclude another JVM.
        Load tooMuch = Loads.of("hot-8-2jvms-1ms");
        Load right = Loads.of("hot-8-1ms");
        try (Counters counters = Counters.create();
                Crew crew = new Crew(Path.of(System.getProperty("java.home")), List.of(), counters)) {
            crew.open(Contestant.JDK, tooMuch, NOWHERE);
            assertThatThrownBy(() -> crew.run(tooMuch, WARM_MILLIS, MILLIS))
                    .isInstanceOf(TurnFailedException.class)
                    .hasMessageContaining("two threads had the same lock");
            crew.open(Contestant.JDK, right, NOWHERE);
            assertThat(crew.run(right, WARM_MILLIS, MILLIS))
                    .singleElement()
                    .satisfies(ran -> assertThat(ran.sections()).isPositive());
            crew.closeContender(right);
        }
    }

    @Test
    void close_workersAreThere_returnsWhenTheyAreGone() throws Exception {
        Set<ProcessHandle> before = ProcessHandle.current().children().collect(Collectors.toSet());
        List<ProcessHandle> workers;
        try (Counters counters = Counters.create();
                Crew crew = new Crew(Path.of(System.getProperty("java.home")), List.of(), counters)) {
            crew.open(Contestant.JDK, Loads.of(Loads.HOT_8), NOWHERE);
            workers = ProcessHandle.current()
                    .children()
                    .filter(child -> !before.contains(child))
                    .toList();
        }
        assertThat(workers).hasSize(1).noneMatch(ProcessHandle::isAlive);
    }
}
