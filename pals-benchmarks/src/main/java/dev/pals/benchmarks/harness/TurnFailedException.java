package dev.pals.benchmarks.harness;

import java.io.Serial;

/** A contender could not do what was measured; the message is a stack trace of its process. */
public final class TurnFailedException extends Exception {
    @Serial
    private static final long serialVersionUID = 1;

    TurnFailedException(String message) {
        super(message);
    }

    /** The trace's first line. */
    public String summary() {
        return String.valueOf(getMessage()).lines().findFirst().orElse("");
    }
}
