package dev.pals.proof;

import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * One run.
 *
 * @param seed of what the workers do, and of which faults come when
 * @param duration of the whole; at the most four minutes and a round longer, where a fault has not come yet
 * @param round how long the workers load, before they rest and what is left over is looked for
 * @param workers one for each
 * @param threads of each worker
 * @param keys for which they compete
 * @param steps that they take, at random
 * @param faults that come, at random
 * @param betweenFaults the longest pause between two faults of each of the hands that strike them
 * @param failsOver whether each round ends with a failover to a standby
 * @param toldWithin for how long a loss may remain untold
 * @param classPath of the workers
 */
record ProofSettings(
        long seed,
        Duration duration,
        Duration round,
        List<Profile> workers,
        int threads,
        int keys,
        List<Step> steps,
        Set<Fault> faults,
        Duration betweenFaults,
        boolean failsOver,
        Duration toldWithin,
        String classPath) {}
