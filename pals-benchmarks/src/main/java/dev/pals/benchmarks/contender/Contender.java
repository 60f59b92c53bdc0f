package dev.pals.benchmarks.contender;

import java.util.concurrent.CountDownLatch;

/** A way to lock, open in this process. Thread-safe. */
public interface Contender extends AutoCloseable {
    /** What one thread locks with. */
    Locks locks() throws Exception;

    /**
     * Takes the locks of some keys, one after the other where it has something for each of them, until the contender is
     * closed. For those with {@link Contestant.Ability#HOLD}.
     */
    default void hold(int from, int count) throws Exception {
        throw new UnsupportedOperationException("holds none but those of its threads");
    }

    /** Counts down to zero as it is told of each request whose locks are lost; for those that tell. */
    default CountDownLatch untilAllAreLost() throws Exception {
        throw new UnsupportedOperationException("does not tell");
    }

    @Override
    void close() throws Exception;
}
