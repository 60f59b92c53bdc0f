package dev.pals.benchmarks.harness;

import java.io.Serializable;
import org.HdrHistogram.Histogram;

/** What a worker process says to a {@link Command}. */
sealed interface Answer extends Serializable {
    /** Done. */
    record Done() implements Answer {}

    /** The contender is open and has had its first lock, which took so long. */
    record Opened(long nanos) implements Answer {}

    /**
     * What the threads did.
     *
     * @param cycles within the measured time
     * @param allCycles before it too
     * @param sections how often a thread had a lock for itself
     * @param seconds measured
     * @param processorNanos of this process, for all cycles
     * @param allocatedBytes of this process, for all cycles; 0 where it is not known, as that of virtual threads
     * @param waits the times until the lock was had, or until the end, in nanoseconds
     */
    record Ran(
            long cycles,
            long allCycles,
            long sections,
            double seconds,
            long processorNanos,
            long allocatedBytes,
            Histogram waits)
            implements Answer {}

    /** Bytes of heap in use. */
    record Weight(long bytes) implements Answer {}

    /** It went wrong. */
    record Failed(String trace) implements Answer {}
}
