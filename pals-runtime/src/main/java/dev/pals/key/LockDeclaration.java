package dev.pals.key;

/**
 * What one constant of a {@link LockApp} enum declares: the key of one lock, or a family with a key for each id.
 *
 * <p>A family cannot be locked by itself, so code that may meet either tells them apart:
 *
 * <pre>{@code
 * LockDeclaration declared = BillingLockKeys.of(constant);
 * if (declared instanceof LockKey key) {
 *     locker.exclusive(key).acquire();
 * }
 * }</pre>
 */
public sealed interface LockDeclaration permits LockKey, LockFamily {
    /** The lock's or family's name, without its application's. */
    String name();

    /** The hash of the application's name, or 0 for a lock without an application. */
    long appHash();
}
