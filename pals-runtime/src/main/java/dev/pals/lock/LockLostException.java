package dev.pals.lock;

import dev.pals.key.LockKey;
import java.util.List;

/**
 * The locks were gone before they were released: their PostgreSQL session had ended or had to be cut, so another
 * program may have held them meanwhile.
 */
public final class LockLostException extends LockException {
    private static final long serialVersionUID = 1L;

    private final LockKey[] keys;

    /** For the runtime. */
    public LockLostException(List<LockKey> keys, Throwable cause) {
        super(
                "The lock on " + keys
                        + " was lost before its release, since its PostgreSQL session had ended or had to be cut ("
                        + cause.getMessage()
                        + "). Another holder may have come in between: check what the lock guarded.",
                cause);
        this.keys = keys.toArray(LockKey[]::new);
    }

    /** The keys that were held. */
    public List<LockKey> keys() {
        return List.of(keys);
    }
}
