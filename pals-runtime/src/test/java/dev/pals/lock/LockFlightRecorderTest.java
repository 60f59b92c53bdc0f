package dev.pals.lock;

import static dev.pals.lock.LockEvents.event;
import static dev.pals.lock.LockEvents.eventWithoutText;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What real recordings hold. */
final class LockFlightRecorderTest {
    private final LockListener recorder = new LockFlightRecorder();

    @TempDir
    Path directory;

    @Test
    void events_recordingOfDefaults_hasThemAllWithTheirFields() throws IOException {
        List<RecordedEvent> events;
        try (Recording recording = started()) {
            LockListenerTest.tellEverything(recorder);
            events = stopped(recording);
        }

        assertThat(events)
                .extracting(event -> event.getEventType().getName())
                .containsExactlyInAnyOrder(
                        "dev.pals.LockAcquired",
                        "dev.pals.LockWaited",
                        "dev.pals.LockHandedOff",
                        "dev.pals.LockTimedOut",
                        "dev.pals.LockLost",
                        "dev.pals.LockReleased");
        assertThat(events).allSatisfy(event -> {
            assertThat(event.getEventType().getCategoryNames()).containsExactly("PALs");
            assertThat(event.getString("app")).isEqualTo("events");
            assertThat(event.getString("keys")).isEqualTo("[events.one, events.two]");
            assertThat(event.getString("mode")).isEqualTo("SHARED");
            assertThat(event.getInt("attempts")).isEqualTo(3);
            assertThat(event.getDuration("elapsed")).isEqualTo(Duration.ofNanos(12_345_678));
            assertThat(event.getThread().getJavaName())
                    .isEqualTo(Thread.currentThread().getName());
            assertThat(event.getStackTrace()).isNull();
        });
    }

    @Test
    void lost_cause_isRecordedAsText() throws IOException {
        try (Recording recording = started()) {
            recorder.lost(event(Optional.of(new IOException("the wire is cut"))));

            assertThat(stopped(recording))
                    .singleElement()
                    .extracting(event -> event.getString("cause"))
                    .isEqualTo("java.io.IOException: the wire is cut");
        }
    }

    @Test
    void lost_noRecording_computesNothing() {
        recorder.lost(eventWithoutText());
    }

    @Test
    void lost_disabledInTheRecording_computesNothing() throws IOException {
        try (Recording recording = started()) {
            assertThatThrownBy(() -> recorder.lost(eventWithoutText()))
                    .as("where it is enabled, the text of the cause is needed")
                    .isInstanceOf(AssertionError.class)
                    .hasMessage("text of the cause");
            recording.disable("dev.pals.LockLost");

            recorder.lost(eventWithoutText());
            recorder.released(event());

            assertThat(stopped(recording))
                    .extracting(event -> event.getEventType().getName())
                    .containsExactly("dev.pals.LockReleased");
        }
    }

    private static Recording started() {
        Recording recording = new Recording();
        recording.start();
        return recording;
    }

    private List<RecordedEvent> stopped(Recording recording) throws IOException {
        Path file = directory.resolve("locks.jfr");
        recording.stop();
        recording.dump(file);
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().startsWith("dev.pals."))
                .toList();
    }
}
