package dev.pals.internal.gate;

import dev.pals.lock.LockMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One lock as PostgreSQL has it: holders, a queue, and tries that do not pass those who wait. Thread-safe. */
final class SimulatedLock {
    private final Map<Object, LockMode> holders = new HashMap<>();
    private final Map<Object, LockMode> waiting = new LinkedHashMap<>();

    synchronized boolean take(Object holder, LockMode mode) {
        boolean free = !conflictsWith(holders, mode) && !conflictsWith(waiting, mode);
        if (free) {
            holders.put(holder, mode);
        }
        return free;
    }

    /** Takes it now, or queues for it; {@link #free} tells then. */
    synchronized boolean takeOrWait(Object holder, LockMode mode) {
        boolean taken = take(holder, mode);
        if (!taken) {
            waiting.put(holder, mode);
        }
        return taken;
    }

    /** Who has it now and had waited for it; null if this one was not queued. */
    synchronized @Nullable List<Object> stopWaiting(Object holder) {
        return waiting.remove(holder) == null ? null : granted();
    }

    /** Who has it now and had waited for it. */
    synchronized List<Object> free(Object holder) {
        holders.remove(holder);
        return granted();
    }

    private List<Object> granted() {
        List<Object> granted = new ArrayList<>();
        while (!waiting.isEmpty()) {
            Map.Entry<Object, LockMode> next = waiting.entrySet().iterator().next();
            if (conflictsWith(holders, next.getValue())) {
                break;
            }
            holders.put(next.getKey(), next.getValue());
            waiting.remove(next.getKey());
            granted.add(next.getKey());
        }
        return granted;
    }

    synchronized boolean isWaitedFor() {
        return !waiting.isEmpty();
    }

    synchronized boolean isIdle() {
        return holders.isEmpty() && waiting.isEmpty();
    }

    /** A loop: each call of a method is a step for Lincheck. */
    private static boolean conflictsWith(Map<Object, LockMode> others, LockMode mode) {
        for (LockMode other : others.values()) {
            if (conflict(mode, other)) {
                return true;
            }
        }
        return false;
    }

    static boolean conflict(LockMode first, LockMode second) {
        return first == LockMode.EXCLUSIVE || second == LockMode.EXCLUSIVE;
    }

    @Override
    public synchronized String toString() {
        return "held by " + holders + ", waited for by " + waiting;
    }
}
