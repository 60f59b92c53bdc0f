package dev.pals.key;

/** An id that is outside the range of its {@link LockFamily}. The message names the family, the id and the range. */
public final class InvalidLockIdException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    InvalidLockIdException(String message) {
        super(message);
    }
}
