package dev.pals.lock;

/** A duration that cannot be waited for. The message names the argument and the value. */
public final class InvalidWaitException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    InvalidWaitException(String message) {
        super(message);
    }
}
