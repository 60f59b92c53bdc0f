package dev.pals.lock;

/**
 * A locker was not opened, since PostgreSQL would take a lock that it declares and one that another application has
 * registered in {@code pals.lock_name} for the same: their names give one number, or a family could reach it. Rename
 * one of the two, with {@code formerly} for a time; {@code docs/errors.md} says how.
 */
public final class LockNameCollisionException extends LockException {
    private static final long serialVersionUID = 1L;

    private final String declared;
    private final String registered;

    /** For the runtime; the names are with their applications. */
    public LockNameCollisionException(String locker, String declared, String registered) {
        super(
                locker + " declares the lock " + declared + ", and PostgreSQL would take it for " + registered
                        + ", which is registered in pals.lock_name: whoever has one would keep out the other. Rename one of them,"
                        + " with formerly = ... for a time; or delete the row, if nobody uses that lock any more.",
                null);
        this.declared = declared;
        this.registered = registered;
    }

    /** The lock that this program declares, such as {@code billing.invoice-run}. */
    public String declared() {
        return declared;
    }

    /** The lock that is registered already. */
    public String registered() {
        return registered;
    }
}
