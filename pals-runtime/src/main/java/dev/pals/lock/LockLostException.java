package dev.pals.lock;

import dev.pals.key.LockKey;
import java.util.List;
import java.util.Objects;

/**
 * The locks were gone before they were released: their PostgreSQL session had ended or had to be cut, so another
 * program may have held them meanwhile.
 */
public final class LockLostException extends LockException {
    private static final long serialVersionUID = 1L;

    private final LockKey[] keys;

    /** For the runtime. */
    public LockLostException(List<LockKey> keys, Throwable cause) {
        this(keys, cause, "Another holder may have come in between: check what the lock guarded.");
    }

    private LockLostException(List<LockKey> keys, Throwable cause, String consequence) {
        super(
                "The lock on " + keys
                        + " was lost before its release, since its PostgreSQL session had ended or had to be cut ("
                        + cause.getMessage()
                        + "). "
                        + consequence,
                cause);
        this.keys = keys.toArray(LockKey[]::new);
    }

    /** For the runtime: as it is thrown out of a transaction that was not committed. */
    public LockLostException beforeCommit() {
        Throwable cause = Objects.requireNonNull(getCause());
        return new LockLostException(
                keys(), cause, "The transaction was rolled back: take the lock again, and repeat it as a whole.");
    }

    /** The keys that were held. */
    public List<LockKey> keys() {
        return List.of(keys);
    }
}
