package dev.pals.lock;

import dev.pals.key.LockKey;
import java.util.List;

/**
 * The locks were gone before they were released: PostgreSQL had ended the session that held them, so another program
 * may have held them meanwhile.
 */
public final class LockLostException extends LockException {
    private static final long serialVersionUID = 1L;

    private final transient List<LockKey> keys;

    /** For the runtime. */
    public LockLostException(List<LockKey> keys, Throwable cause) {
        super(
                "The lock on " + keys + " was lost before its release, since its PostgreSQL session had ended ("
                        + cause.getMessage()
                        + "). Another holder may have come in between: check what the lock guarded.",
                cause);
        this.keys = List.copyOf(keys);
    }

    /** The keys that were held. */
    public List<LockKey> keys() {
        return keys;
    }
}
