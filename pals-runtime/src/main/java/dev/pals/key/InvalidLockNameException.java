package dev.pals.key;

/** A text that cannot name an application or a lock. The message shows the text and says what is wrong with it. */
public final class InvalidLockNameException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    InvalidLockNameException(String message) {
        super(message);
    }
}
