package dev.pals.lock;

/** Whether a lock tolerates others on the same key. */
public enum LockMode {
    /** No other holder of either mode. */
    EXCLUSIVE,
    /** Other shared holders, but no exclusive one. */
    SHARED
}
