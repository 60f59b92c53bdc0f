package dev.pals.lock;

import static dev.pals.lock.LockEvents.event;
import static dev.pals.lock.LockEvents.eventWithoutText;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.simple.SimpleLoggerFactory;

/** What slf4j-simple prints on System.err. */
final class LockLogTest {
    private static final String NAME = "a-log-of-locks";

    @Test
    void events_levelDebug_areAllWrittenWithTheirNumbers() {
        LockListener log = new LockLog(logger("debug"));

        assertThat(printedBy(() -> LockListenerTest.tellEverything(log)).lines().filter(line -> line.contains(NAME)))
                .satisfiesExactly(
                        line -> assertThat(line)
                                .endsWith("DEBUG a-log-of-locks - Acquired shared lock on [events.one, events.two]:"
                                        + " app=events, took=12.345 ms, attempts=3"),
                        line -> assertThat(line).contains("DEBUG").contains("Waited for shared", "waited=12.345 ms"),
                        line -> assertThat(line)
                                .contains("DEBUG")
                                .contains("Handed on shared", "held in PostgreSQL=12.345 ms"),
                        line -> assertThat(line).contains("INFO").contains("Timed out on", "waited=12.345 ms"),
                        line -> assertThat(line).contains("WARN").contains("Lost shared", "held=12.345 ms"),
                        line -> assertThat(line).contains("DEBUG").contains("Released shared", "held=12.345 ms"));
    }

    @Test
    void lost_cause_isWrittenWithItsStackTrace() {
        LockListener log = new LockLog(logger("warn"));

        assertThat(printedBy(() -> log.lost(event(Optional.of(new IOException("the wire is cut"))))))
                .contains("WARN a-log-of-locks - Lost", "java.io.IOException: the wire is cut", "at dev.pals.lock.");
    }

    @Test
    void events_levelWarn_areLossesOnly() {
        LockListener log = new LockLog(logger("warn"));

        assertThat(printedBy(() -> LockListenerTest.tellEverything(log)).lines().filter(line -> line.contains(NAME)))
                .singleElement()
                .asString()
                .contains("Lost");
    }

    @Test
    void events_levelOff_areNotTurnedIntoText() {
        LockListener log = new LockLog(logger("off"));

        assertThat(printedBy(() -> log.lost(eventWithoutText()))).doesNotContain(NAME);
    }

    @Test
    void logger_ofThePublicConstructor_hasTheNameOfTheClass() {
        LockListener log = new LockLog();

        assertThat(printedBy(() -> log.lost(event()))).contains("WARN dev.pals.lock.LockLog - Lost");
    }

    /** slf4j-simple reads the level when it makes the logger. */
    private static Logger logger(String level) {
        String property = "org.slf4j.simpleLogger.log." + NAME;
        System.setProperty(property, level);
        try {
            return new SimpleLoggerFactory().getLogger(NAME);
        } finally {
            System.clearProperty(property);
        }
    }

    /** May have lines of other threads as well. */
    private static String printedBy(Runnable work) {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            work.run();
        } finally {
            System.setErr(before);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }
}
