package dev.pals.proof;

import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Which sessions were there, again and again.
 *
 * @param times when each look began and when it had ended, in microseconds
 * @param sightings of each session, the last
 */
record Looks(NavigableMap<Long, Long> times, Map<String, Sighting> sightings) {
    /**
     * A session that ends frees its locks first, and leaves the list of sessions last. In between it may have to wait
     * for a processor.
     */
    static final long ENDING = TimeUnit.MILLISECONDS.toMicros(500);

    /** Whose session was seen when. */
    record Sighting(String worker, long at) {}

    Looks() {
        this(new TreeMap<>(), new HashMap<>());
    }

    void saw(String session, String worker, long at) {
        sightings.merge(session, new Sighting(worker, at), (one, other) -> one.at() > other.at() ? one : other);
    }

    /** A worker's event that found its session holding a lock is a certain sighting. */
    Map<String, SessionLife> lives(Iterable<Event> events) {
        Looks all = new Looks(times, new HashMap<>());
        sightings.forEach((session, last) -> {
            boolean lives = times.higherEntry(last.at()) == null;
            all.saw(session, last.worker(), lives ? last.at() : last.at() - ENDING);
        });
        for (Event event : events) {
            String session = event.session();
            if (session != null) {
                for (String each : session.split(",", -1)) {
                    all.saw(each, event.worker(), event.at());
                }
            }
        }
        Map<String, SessionLife> lives = new HashMap<>();
        all.sightings.forEach((session, last) -> {
            Sighting seen = sightings.getOrDefault(session, last);
            Map.Entry<Long, Long> next = times.higherEntry(Math.max(seen.at(), last.at()));
            lives.put(
                    session,
                    new SessionLife(last.worker(), last.at(), next == null ? Long.MAX_VALUE : next.getValue()));
        });
        return lives;
    }

    /** The longest time between two looks, in microseconds. */
    long longestGap() {
        long longest = 0;
        long last = times.isEmpty() ? 0 : times.firstKey();
        for (long at : times.keySet()) {
            longest = Math.max(longest, at - last);
            last = at;
        }
        return longest;
    }
}
