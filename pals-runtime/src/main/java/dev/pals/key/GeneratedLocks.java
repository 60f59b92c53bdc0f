package dev.pals.key;

import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * For the code that the annotation processor generates, and for no other: the keys and families of one application,
 * from numbers that were computed and checked at compile time. Handwritten code calls {@link LockKey#of(String,
 * String)} and {@link LockFamily#byLong(String, String)}. Immutable and thread-safe.
 */
public final class GeneratedLocks {
    private final String app;
    private final long appHash;

    /** Starts the locks of an application. */
    public GeneratedLocks(String app, long appHash) {
        this.app = Objects.requireNonNull(app, "app");
        this.appHash = appHash;
    }

    /** The key of one lock. */
    public LockKey key(String name, long lockHash) {
        return new LockKey(app, name, appHash, lockHash, null);
    }

    /** A family by {@code Long}. */
    public LockFamily<Long> byLong(String name, long familyHash) {
        return family(IdType.LONG, name, familyHash);
    }

    /** A family by {@code Integer}. */
    public LockFamily<Integer> byInteger(String name, long familyHash) {
        return family(IdType.INTEGER, name, familyHash);
    }

    /** A family by {@code String}. */
    public LockFamily<String> byString(String name, long familyHash) {
        return family(IdType.STRING, name, familyHash);
    }

    /** A family by {@code UUID}. */
    public LockFamily<UUID> byUuid(String name, long familyHash) {
        return family(IdType.UUID, name, familyHash);
    }

    private <T> LockFamily<T> family(IdType<T> by, String name, long familyHash) {
        return new LockFamily<>(by, app, name, appHash, familyHash, null);
    }

    /** A lock that had another name. */
    public LockKey renamed(LockKey now, LockKey formerly) {
        return new LockKey(app, now.name(), appHash, now.lockHash(), formerly);
    }

    /** A family that had another name. */
    public <T> LockFamily<T> renamed(LockFamily<T> now, LockFamily<T> formerly) {
        return now.formerly(formerly);
    }

    /** A list of what a catalog declares. */
    @SafeVarargs
    @SuppressWarnings("varargs") // They are only read.
    public final <E> List<E> list(E... elements) {
        return List.of(elements);
    }
}
