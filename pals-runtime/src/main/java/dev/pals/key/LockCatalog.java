package dev.pals.key;

import java.util.List;

/**
 * Every key and family that one {@link LockApp} enum declares. Generated; found on the class path through
 * {@link java.util.ServiceLoader}. Implementations are stateless and thread-safe.
 */
public interface LockCatalog {
    /** The plain locks, in the order of the enum's constants. */
    List<LockKey> keys();

    /** The families, in the order of the enum's constants. */
    List<LockFamily<?>> families();
}
