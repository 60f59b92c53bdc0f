package dev.pals.key;

import java.io.Serializable;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The key of one lock: a pair of 64-bit numbers, made from the names of an application and a lock.
 *
 * <p>{@link #lockHash()} is what goes to PostgreSQL, so it alone decides {@link #equals equality} and order: two keys
 * are equal exactly when they are the same lock; one that was {@linkplain #formerly() renamed} equals one that does not
 * know of it. {@link #appHash()} groups keys by application in the audit view.
 *
 * <p>Names are taken as they are: no trimming, no Unicode normalising, any length. Immutable and thread-safe.
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory locks</a>
 */
public final class LockKey implements LockDeclaration, Comparable<LockKey>, Serializable {
    private static final long serialVersionUID = 1L;

    private final @Nullable String app;
    private final String name;
    private final long appHash;
    private final long lockHash;
    private final @Nullable LockKey formerly;

    LockKey(@Nullable String app, String name, long appHash, long lockHash, @Nullable LockKey formerly) {
        this.app = app;
        this.name = Objects.requireNonNull(name, "name");
        this.appHash = appHash;
        this.lockHash = lockHash;
        this.formerly = formerly;
    }

    /**
     * Returns the key of a lock of an application: {@code hash(app)} and {@code hash(app + "." + name)}.
     *
     * @throws InvalidLockNameException if either is null, blank, has a NUL character or is no valid Unicode
     */
    public static LockKey of(String app, String name) {
        LockHash.checkedName("app name", app);
        LockHash.checkedName("lock name", name);
        return new LockKey(app, name, LockHash.of(app), LockHash.of(app, name), null);
    }

    /**
     * Returns the key of a lock that belongs to no application: {@code hash(name)}, with an {@link #appHash()} of 0.
     *
     * @throws InvalidLockNameException if it is null, blank, has a NUL character or is no valid Unicode
     */
    public static LockKey of(String name) {
        LockHash.checkedName("lock name", name);
        return new LockKey(null, name, 0, LockHash.of(null, name), null);
    }

    /** The application's name, or empty for a lock without one. */
    public Optional<String> app() {
        return Optional.ofNullable(app);
    }

    /** The lock's name; {@code name:id} for a lock of a {@link LockFamily}. */
    @Override
    public String name() {
        return name;
    }

    @Override
    public long appHash() {
        return appHash;
    }

    /** The number that goes to PostgreSQL. */
    public long lockHash() {
        return lockHash;
    }

    /**
     * The key under the lock's former name. Requests take it too, so that programs of the version before the renaming
     * are excluded; see {@link LockName#formerly()}.
     */
    public Optional<LockKey> formerly() {
        return Optional.ofNullable(formerly);
    }

    /** Whether the other is the same lock in PostgreSQL. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof LockKey key && key.lockHash == lockHash;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(lockHash);
    }

    /** The order in which the keys of one request are taken, the same everywhere, so that requests do not deadlock. */
    @Override
    public int compareTo(LockKey other) {
        return Long.compare(lockHash, other.lockHash);
    }

    /** {@code app.name}, as the original writes it; for messages. */
    @Override
    public String toString() {
        return app == null ? name : app + "." + name;
    }
}
