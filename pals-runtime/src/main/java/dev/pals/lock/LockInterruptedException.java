package dev.pals.lock;

import dev.pals.key.LockKey;
import java.util.List;

/** The thread was interrupted while it waited for locks; none is held and the thread's interrupt flag is set again. */
public final class LockInterruptedException extends LockException {
    private static final long serialVersionUID = 1L;

    /** For the runtime. */
    public LockInterruptedException(List<LockKey> keys) {
        super("Interrupted while waiting for the lock on " + keys + ". No lock is held.", null);
    }
}
