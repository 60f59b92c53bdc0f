package dev.pals.lock;

import static dev.pals.lock.LockEvents.event;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pals.key.LockKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class LockListenerTest {
    private final List<String> told = new ArrayList<>();

    @Test
    void methods_notOverridden_doNothing() {
        tellEverything(new LockListener() {});
    }

    @Test
    void all_eachEvent_isToldToAllInOrder() {
        tellEverything(LockListener.all(noting("a"), noting("b")));

        assertThat(told)
                .containsExactly(
                        "a acquired",
                        "b acquired",
                        "a waited",
                        "b waited",
                        "a handedOff",
                        "b handedOff",
                        "a timedOut",
                        "b timedOut",
                        "a lost",
                        "b lost",
                        "a released",
                        "b released");
    }

    @Test
    void all_oneThrows_othersAreToldAndTheCallerIsNot() {
        LockListener throwing = new LockListener() {
            @Override
            public void acquired(LockEvent event) {
                throw new IllegalStateException("on purpose, a test of listeners that throw");
            }

            @Override
            public void released(LockEvent event) {
                throw new AssertionError("on purpose, a test of listeners that throw");
            }
        };
        assertThatThrownBy(() -> throwing.acquired(event())).isInstanceOf(IllegalStateException.class);
        LockListener all = LockListener.all(throwing, noting("other"));

        all.acquired(event());
        all.released(event());

        assertThat(told).containsExactly("other acquired", "other released");
    }

    @Test
    void all_ofNone_doesNothing() {
        tellEverything(LockListener.all());
    }

    @Test
    void event_listChangesLater_keepsItsKeys() {
        List<LockKey> keys = new ArrayList<>(List.of(LockEvents.ONE));
        LockEvent event = new LockEvent("events", keys, LockMode.EXCLUSIVE, Duration.ZERO, 1, Optional.empty());
        keys.clear();

        assertThat(event.keys()).containsExactly(LockEvents.ONE);
    }

    static void tellEverything(LockListener listener) {
        listener.acquired(event());
        listener.waited(event());
        listener.handedOff(event());
        listener.timedOut(event());
        listener.lost(event());
        listener.released(event());
    }

    private LockListener noting(String name) {
        return new EveryEvent() {
            @Override
            protected void tell(String what, LockEvent event) {
                told.add(name + " " + what);
            }
        };
    }
}
