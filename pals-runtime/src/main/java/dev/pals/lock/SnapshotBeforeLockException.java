package dev.pals.lock;

import java.util.Locale;

/**
 * A transaction-level lock was asked for under REPEATABLE READ or SERIALIZABLE, where it would not protect: the
 * transaction sees the database as it was when its first statement began, even if that statement is the one that waits
 * for the lock, and so not what the holder before has committed. No lock was taken.
 *
 * @see <a href="https://www.postgresql.org/docs/current/applevel-consistency.html">Data consistency checks at the
 *     application level</a>
 */
public final class SnapshotBeforeLockException extends LockException {
    private static final long serialVersionUID = 1L;

    /**
     * For the runtime.
     *
     * @param locks the keys, or the family
     */
    public SnapshotBeforeLockException(Object locks, String isolation) {
        super(
                "The transaction is " + isolation.toUpperCase(Locale.ROOT)
                        + ", so it would not see what the holder of the lock on " + locks
                        + " before it has committed: its snapshot is older than the lock. Outside of the"
                        + " transaction, take the lock first and begin then, with locker.exclusive(key).transaction(dsl,"
                        + " trx -> ...), which is right at every level; or use READ COMMITTED.",
                null);
    }
}
