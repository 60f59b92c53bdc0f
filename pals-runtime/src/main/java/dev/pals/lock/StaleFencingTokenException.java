package dev.pals.lock;

import dev.pals.key.LockKey;

/**
 * A guarded write showed a fencing token that is older than one that another holder of the lock has shown: this holder
 * no longer has the lock. What it wrote must not be committed.
 */
public final class StaleFencingTokenException extends LockException {
    private static final long serialVersionUID = 1L;

    private final LockKey key;
    private final long token;
    private final long newest;

    /** For the runtime. */
    public StaleFencingTokenException(LockKey key, long token, long newest) {
        super(
                "The fencing token " + token + " of the lock on " + key + " is stale: a later holder has shown "
                        + newest + ", so the lock was lost. Let the transaction roll back, take the lock again, and"
                        + " read anew what it guards.",
                null);
        this.key = key;
        this.token = token;
        this.newest = newest;
    }

    /** The key of the lock. */
    public LockKey key() {
        return key;
    }

    /** The token that was refused. */
    public long token() {
        return token;
    }

    /** The newest token that was shown for the lock; greater than {@link #token()}. */
    public long newest() {
        return newest;
    }
}
