package dev.pals.key;

import java.util.Objects;

/**
 * One lock for each id: {@code ACCOUNT.of(42L)} locks account 42 and no other.
 *
 * <p>For numeric ids the key is the family's hash XOR the id: no two ids of a family ever collide, and the audit view
 * finds the id again and shows {@code account:42}. Immutable and thread-safe.
 *
 * @param <T> the type of the ids; {@code Long}
 */
public final class LockFamily<T> {
    /**
     * Ids are smaller than this in absolute value (2^40), so that families stay apart from each other and from plain
     * names.
     */
    public static final long ID_LIMIT = 1L << 40;

    private final String app;
    private final String name;
    private final long appHash;
    private final long familyHash;

    private LockFamily(String app, String name, long appHash, long familyHash) {
        this.app = app;
        this.name = name;
        this.appHash = appHash;
        this.familyHash = familyHash;
    }

    /**
     * Returns the family of an application's locks by number.
     *
     * @throws InvalidLockNameException if either name is null, blank, has a NUL character or is no valid Unicode
     */
    public static LockFamily<Long> byLong(String app, String name) {
        LockKey family = LockKey.of(app, name);
        return new LockFamily<>(app, name, family.appHash(), family.lockHash());
    }

    /**
     * For generated code: a family whose numbers were computed and checked at compile time. Handwritten code calls
     * {@link #byLong(String, String)}.
     */
    public static LockFamily<Long> precomputedByLong(String app, String name, long appHash, long familyHash) {
        return new LockFamily<>(
                Objects.requireNonNull(app, "app"), Objects.requireNonNull(name, "name"), appHash, familyHash);
    }

    /**
     * Returns the key of one id's lock.
     *
     * @throws InvalidLockIdException if the id is not between -{@link #ID_LIMIT} and {@link #ID_LIMIT}, both excluded
     */
    public LockKey of(T id) {
        long number = ((Number) Objects.requireNonNull(id, "id")).longValue();
        if (number <= -ID_LIMIT || number >= ID_LIMIT) {
            throw new InvalidLockIdException("The id " + number + " of lock family " + app + "." + name
                    + " is out of range: its absolute value must be below 2^40 (" + ID_LIMIT + ").");
        }
        return LockKey.precomputed(app, name + ":" + number, appHash, familyHash ^ number);
    }

    /** The application's name. */
    public String app() {
        return app;
    }

    /** The family's name. */
    public String name() {
        return name;
    }

    /** The hash of the application's name. */
    public long appHash() {
        return appHash;
    }

    /** The number that is XORed with the id. */
    public long familyHash() {
        return familyHash;
    }

    @Override
    public String toString() {
        return app + "." + name + ":*";
    }
}
