package dev.pals.proof;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What has happened from one rest of all workers to the next.
 *
 * @param looks at the sessions of all workers
 * @param before where the counters and tokens stood at the beginning
 * @param after where the counters stood at the end
 * @param atRest what was found when nobody was in a section any more
 * @param toldWithin for how long a loss may remain untold
 */
record History(
        List<Event> events,
        Looks looks,
        List<FaultRecord> faults,
        Standing before,
        Standing after,
        List<Violation> atRest,
        Duration toldWithin) {

    /**
     * Where everything stands, by key.
     *
     * @param counters the plain ones
     * @param tokens the greatest of those that sections had
     */
    record Standing(Map<Long, Long> counters, Map<Long, Long> fenced, Map<Long, Long> tokens) {}

    /** For whoever looks for the reason of a violation: everything, one to a line. */
    List<String> lines() {
        List<Object> all = new ArrayList<>(List.of(before, after));
        all.addAll(atRest);
        all.addAll(faults);
        all.addAll(new TreeMap<>(looks.lives(events)).entrySet());
        all.addAll(new TreeMap<>(looks.sightings()).entrySet());
        all.add(looks.times());
        all.addAll(events);
        return all.stream().map(Object::toString).toList();
    }
}
