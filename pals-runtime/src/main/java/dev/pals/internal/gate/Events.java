package dev.pals.internal.gate;

import dev.pals.key.LockKey;
import dev.pals.lock.LockEvent;
import dev.pals.lock.LockListener;
import dev.pals.lock.LockMode;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Tells a locker's listener; where there is none, it makes no event and looks at no clock. */
public final class Events {
    private final String app;
    private final @Nullable LockListener listener;

    /**
     * Makes one.
     *
     * @param listener must not throw; null for none
     */
    public Events(String app, @Nullable LockListener listener) {
        this.app = app;
        this.listener = listener;
    }

    void acquired(Passage passage, Duration waited) {
        LockListener told = listener;
        if (told == null) {
            return;
        }
        LockEvent event = event(passage.keys(), passage.mode(), waited, passage.attempts(), null);
        if (passage.hasWaited()) {
            told.waited(event);
        }
        List<LockKey> keys = passage.keys();
        for (int i = 0; i < keys.size(); i++) {
            Entry entry = passage.entries()[i];
            if (entry.wasHandedOff()) {
                told.handedOff(event(List.of(keys.get(i)), passage.mode(), entry.heldFor(), 0, null));
            }
        }
        told.acquired(event);
    }

    void timedOut(Passage passage, Duration waited) {
        LockListener told = listener;
        if (told != null) {
            LockEvent event = event(passage.keys(), passage.mode(), waited, passage.attempts(), null);
            told.waited(event);
            told.timedOut(event);
        }
    }

    void released(HeldLock.Locks locks) {
        LockListener told = listener;
        if (told != null) {
            told.released(event(locks.keys(), locks.mode(), locks.heldFor(), locks.attempts(), null));
        }
    }

    void lost(HeldLock.Locks locks, Throwable cause) {
        LockListener told = listener;
        if (told != null) {
            told.lost(event(locks.keys(), locks.mode(), locks.heldFor(), locks.attempts(), cause));
        }
    }

    private LockEvent event(
            List<LockKey> keys, LockMode mode, Duration duration, int attempts, @Nullable Throwable cause) {
        return new LockEvent(app, keys, mode, duration, attempts, Optional.ofNullable(cause));
    }
}
