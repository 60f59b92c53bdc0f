package dev.pals.benchmarks.contender;

import java.sql.Connection;

/** The locks of one thread, by number. */
public interface Locks extends AutoCloseable {
    /** Tries once, runs the section and releases; false if the lock was not to be had. */
    boolean tryLocked(int key, Section section) throws Exception;

    /** Waits for as long as it takes, runs the section and releases. */
    void locked(int key, Section section) throws Exception;

    /** As {@link #locked}, beside other readers; exclusively where the contender has no shared locks. */
    default void reading(int key, Section section) throws Exception {
        locked(key, section);
    }

    /** As {@link #locked}, where others are {@link #reading}. */
    default void writing(int key, Section section) throws Exception {
        locked(key, section);
    }

    /** Waits, and has the lock from before a transaction's work until after its commit. */
    void transaction(int key, Work work) throws Exception;

    @Override
    default void close() throws Exception {}

    /** What runs with the lock. */
    @FunctionalInterface
    interface Section {
        void run() throws Exception;
    }

    /** What a locked transaction does. */
    @FunctionalInterface
    interface Work {
        void in(Connection transaction) throws Exception;
    }
}
