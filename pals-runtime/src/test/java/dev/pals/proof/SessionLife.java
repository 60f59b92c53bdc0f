package dev.pals.proof;

/**
 * What was seen of a PostgreSQL session. It ended after it certainly lived and before it was found missing.
 *
 * @param lastSeen when it certainly lived, in microseconds
 * @param missing {@link Long#MAX_VALUE} if it lives
 */
record SessionLife(String worker, long lastSeen, long missing) {
    boolean mayHaveEndedWithin(long from, long to) {
        return missing != Long.MAX_VALUE && lastSeen <= to && missing >= from;
    }
}
