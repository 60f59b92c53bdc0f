package dev.pals.lock;

import org.jspecify.annotations.Nullable;

/** The root of what locking throws, apart from invalid arguments. */
public abstract class LockException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LockException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
