package dev.pals.lock;

/**
 * A locker holds as many locks as its budget allows, so more were not even tried for. PostgreSQL keeps the locks of all
 * sessions in one table of fixed size; when it is full, every session of the server fails, also those that take no
 * advisory locks.
 *
 * @see <a href="https://www.postgresql.org/docs/current/runtime-config-locks.html">max_locks_per_transaction</a>
 */
public final class LockBudgetException extends LockException {
    private static final long serialVersionUID = 1L;

    private final int held;
    private final int budget;

    /** For the runtime. */
    public LockBudgetException(String locker, int held, int wanted, int budget) {
        super(
                locker + " holds " + held + " locks, and " + wanted + " more would exceed its budget of " + budget
                        + ". Release some, or raise lockBudget(...) and, on the server, max_locks_per_transaction: where"
                        + " PostgreSQL's lock table is full, every session of the server fails.",
                null);
        this.held = held;
        this.budget = budget;
    }

    /** How many locks the locker held. */
    public int held() {
        return held;
    }

    /** How many it may hold. */
    public int budget() {
        return budget;
    }
}
