package dev.pals.internal.sql;

import dev.pals.lock.LockMode;

/** What a session that never blocks can be asked. The code says which it is in a batch. */
public enum LockCommand {
    TRY_EXCLUSIVE(0),
    TRY_SHARED(1),
    UNLOCK_EXCLUSIVE(2),
    UNLOCK_SHARED(3),
    /** A sign of life; it has no key. */
    HEARTBEAT(4);

    private final int code;

    LockCommand(int code) {
        this.code = code;
    }

    /** Takes a lock of this mode. */
    public static LockCommand tryFor(LockMode mode) {
        return mode == LockMode.EXCLUSIVE ? TRY_EXCLUSIVE : TRY_SHARED;
    }

    /** Frees a lock of this mode. */
    public static LockCommand unlockFor(LockMode mode) {
        return mode == LockMode.EXCLUSIVE ? UNLOCK_EXCLUSIVE : UNLOCK_SHARED;
    }

    /** The number in a batch. */
    public int code() {
        return code;
    }

    /** Whether it takes a lock. */
    public boolean takes() {
        return this == TRY_EXCLUSIVE || this == TRY_SHARED;
    }

    /** Whether it frees a lock. */
    public boolean frees() {
        return this == UNLOCK_EXCLUSIVE || this == UNLOCK_SHARED;
    }
}
