package dev.pals.proof;

/**
 * Something that must not happen, and did.
 *
 * @param what says who, when and where
 */
record Violation(Rule rule, String what) {
    /** What is checked. */
    enum Rule {
        /** Two had the lock exclusively at a time. */
        EXCLUSIVE_EXCLUSIVE,
        /** One had the lock exclusively while another had it shared. */
        SHARED_EXCLUSIVE,
        /** The same for a request for several keys: it had them all, while somebody else had one of them. */
        SEVERAL_KEYS,
        /** A request was granted, and PostgreSQL knew nothing of it. */
        NOT_IN_POSTGRESQL,
        /** PostgreSQL's session lives, and does not hold the lock any more. */
        LOCK_VANISHED,
        /** A later holder had no greater fencing token. */
        TOKEN_NOT_GROWING,
        /** A guarded write was overwritten by one that had not seen it, or is not there although it was committed. */
        LOST_WRITE,
        /** One intended write was done more than once. */
        DOUBLED_WRITE,
        /** A fenced write was accepted after one with a greater token, or with the token of somebody else. */
        STALE_WRITE_ACCEPTED,
        /** The session of a locked transaction had ended, and it was committed nevertheless. */
        COMMITTED_WITHOUT_LOCK,
        /** The session had ended, and the holder was not told. */
        LOSS_NOT_TOLD,
        /** The holder was told of a loss that no fault explains. */
        LOSS_UNEXPLAINED,
        /** An exception that is none of the library's. */
        UNTYPED_FAILURE,
        /** Nobody is in a section, and PostgreSQL still holds a lock. */
        STRAY_LOCK,
        /** A closed locker has left a connection. */
        CONNECTION_LEAKED,
        /** A request did not come back. */
        STUCK
    }

    @Override
    public String toString() {
        return rule + ": " + what;
    }
}
