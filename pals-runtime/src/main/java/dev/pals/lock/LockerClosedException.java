package dev.pals.lock;

/** A locker was used after it was closed, or closed while a request waited. */
public final class LockerClosedException extends LockException {
    private static final long serialVersionUID = 1L;

    /** For the runtime. */
    public LockerClosedException(String locker) {
        super(locker + " is closed. Keep one locker open for as long as the application runs.", null);
    }
}
