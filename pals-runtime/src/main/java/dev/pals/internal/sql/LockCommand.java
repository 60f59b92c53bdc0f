package dev.pals.internal.sql;

import dev.pals.lock.LockMode;

/** What a session that never blocks can be asked. The code says which it is in a batch. */
public enum LockCommand {
    TRY_EXCLUSIVE(0),
    TRY_SHARED(1),
    UNLOCK_EXCLUSIVE(2),
    UNLOCK_SHARED(3),
    /** A sign of life; it has no key. */
    HEARTBEAT(4),
    /** As {@link #TRY_EXCLUSIVE}; the answer is a fencing token instead of true. */
    TRY_EXCLUSIVE_FENCED(5),
    /** Whether any session holds the lock. Not for a batch. */
    LOOK_IF_HELD(6),
    /** Whether any session waits for the lock. Not for a batch. */
    LOOK_IF_WAITED_FOR(7);

    private final int code;

    LockCommand(int code) {
        this.code = code;
    }

    /** Takes a lock of this mode. */
    public static LockCommand tryFor(LockMode mode, boolean fenced) {
        if (mode == LockMode.SHARED) {
            return TRY_SHARED;
        }
        return fenced ? TRY_EXCLUSIVE_FENCED : TRY_EXCLUSIVE;
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
        return this == TRY_EXCLUSIVE || this == TRY_SHARED || this == TRY_EXCLUSIVE_FENCED;
    }

    /** Whether the answer is a fencing token, or null. */
    public boolean isFenced() {
        return this == TRY_EXCLUSIVE_FENCED;
    }

    /** Whether it looks into PostgreSQL's table of locks, for which it travels alone. */
    public boolean looks() {
        return this == LOOK_IF_HELD || this == LOOK_IF_WAITED_FOR;
    }

    /** Whether it frees a lock. */
    public boolean frees() {
        return this == UNLOCK_EXCLUSIVE || this == UNLOCK_SHARED;
    }
}
