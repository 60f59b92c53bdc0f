package dev.pals.proof;

import dev.pals.lock.LockMode;
import org.jspecify.annotations.Nullable;

/**
 * What a worker noted. All times are microseconds since 1970, by PostgreSQL's clock; those of {@link Kind#LOST} and
 * {@link Kind#FAILED} by the worker's, which is the same machine's.
 *
 * @param section which section of which worker; all events from one request to its end have the same
 * @param session PostgreSQL's session that held the lock for this worker at this moment, as pg_locks says; or null. Of
 *     a shared lock there may be several, with commas in between: one of a connection that is given up lives on for a
 *     while
 * @param asked when the request was made
 * @param token the fencing token; 0 for none
 * @param value what was written; it is one more than what was read
 * @param op one intended write
 * @param committed when PostgreSQL committed the event, and with it the write
 */
record Event(
        Kind kind,
        long at,
        String worker,
        String section,
        long key,
        LockMode mode,
        @Nullable String session,
        long asked,
        long token,
        long value,
        String op,
        long committed,
        String note) {

    enum Kind {
        /** The request was granted. */
        ENTERED,
        /** The key's counter was read and then written, in two statements. */
        WROTE,
        /** The key's fenced counter was read and written in a transaction that has shown the token. */
        WROTE_FENCED,
        /** The worker was told that its write is committed. */
        ACKNOWLEDGED,
        /** A fenced write was refused, since a newer token was shown. */
        REFUSED,
        /** The worker is about to release the lock. */
        LEFT,
        /** The library said that the lock was lost. */
        LOST,
        /** A request failed with an exception. */
        FAILED
    }

    boolean isWrite() {
        return kind == Kind.WROTE || kind == Kind.WROTE_FENCED;
    }
}
