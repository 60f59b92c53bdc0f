package dev.pals.benchmarks.contender;

/** A way to lock, open in this process. Thread-safe. */
public interface Contender extends AutoCloseable {
    /** What one thread locks with. */
    Locks locks() throws Exception;

    /** Takes the locks of some keys, until the contender is closed. */
    void hold(int from, int count) throws Exception;

    @Override
    void close() throws Exception;
}
