package dev.pals.lock;

/**
 * Is told what becomes of the requests and locks of a locker: for logs, metrics and traces. Each method does nothing
 * unless it is overridden.
 *
 * <p>A listener is called on the thread where it happens, the caller's own or one of the library's, outside of the
 * library's locks. That thread waits for it, and often others wait for what the thread holds: it must be quick, must
 * not block, and must not take or release locks of the same locker. What it throws is logged and does not reach the
 * request.
 *
 * <p>Implementations need to be thread-safe: events of different requests come at the same time and in any order.
 */
public interface LockListener {
    /**
     * Returns a listener that tells all of these, in this order. What one of them throws is logged, and the others are
     * told nevertheless.
     */
    static LockListener all(LockListener... listeners) {
        return new LockListeners(listeners);
    }

    /** A request holds all its locks; the duration is from the call until then. */
    default void acquired(LockEvent event) {}

    /**
     * A request that was not granted its locks at once waits no longer; the duration is how long it did. Comes before
     * {@link #acquired} or {@link #timedOut}; a wait that ended with another exception is not told of.
     */
    default void waited(LockEvent event) {}

    /**
     * A lock went from one holder of this program to the next, without a round trip to PostgreSQL; the duration is how
     * long this program has held it there. Tells one key.
     */
    default void handedOff(LockEvent event) {}

    /** A request was not granted its locks within its wait and holds none; the duration is how long it waited. */
    default void timedOut(LockEvent event) {}

    /**
     * A PostgreSQL session ended before its locks were released, so others may hold them now; the duration is how long
     * they were held, and the cause says why the session ended.
     */
    default void lost(LockEvent event) {}

    /** Locks were released; the duration is how long they were held. */
    default void released(LockEvent event) {}
}
