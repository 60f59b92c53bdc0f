package dev.pals.key;

import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One lock for each id: {@code ACCOUNT.of(42L)} locks account 42 and no other.
 *
 * <p>For {@code Long} and {@code Integer} ids the key is the family's hash XOR the id: no two ids of a family ever
 * collide, the same key can be computed in SQL, and the audit view finds the id again and shows {@code account:42}. For
 * {@code String} and {@code UUID} ids the key is the hash of {@code app.name:id}. Immutable and thread-safe.
 *
 * @param <T> the type of the ids
 */
public final class LockFamily<T> implements LockDeclaration {
    /**
     * Ids are smaller than this in absolute value (2^40), so that families stay apart from each other and from plain
     * names.
     */
    public static final long ID_LIMIT = 1L << 40;

    private final IdType<T> by;
    private final String app;
    private final String name;
    private final long appHash;
    private final long familyHash;
    private final @Nullable LockFamily<T> formerly;

    LockFamily(IdType<T> by, String app, String name, long appHash, long familyHash, @Nullable LockFamily<T> formerly) {
        this.by = by;
        this.app = Objects.requireNonNull(app, "app");
        this.name = Objects.requireNonNull(name, "name");
        this.appHash = appHash;
        this.familyHash = familyHash;
        this.formerly = formerly;
    }

    /**
     * Returns the family of an application's locks by number.
     *
     * @throws InvalidLockNameException if either name is null, blank, has a NUL character or is no valid Unicode
     */
    public static LockFamily<Long> byLong(String app, String name) {
        return hashed(IdType.LONG, app, name);
    }

    /**
     * Returns the family of an application's locks by number. Its keys are those of {@link #byLong} for the same ids.
     *
     * @throws InvalidLockNameException if either name is null, blank, has a NUL character or is no valid Unicode
     */
    public static LockFamily<Integer> byInteger(String app, String name) {
        return hashed(IdType.INTEGER, app, name);
    }

    /**
     * Returns the family of an application's locks by text, which is taken as it is: no trimming, no normalising.
     *
     * @throws InvalidLockNameException if either name is null, blank, has a NUL character or is no valid Unicode
     */
    public static LockFamily<String> byString(String app, String name) {
        return hashed(IdType.STRING, app, name);
    }

    /**
     * Returns the family of an application's locks by UUID. Its keys are those of {@link #byString} for
     * {@link UUID#toString()}.
     *
     * @throws InvalidLockNameException if either name is null, blank, has a NUL character or is no valid Unicode
     */
    public static LockFamily<UUID> byUuid(String app, String name) {
        return hashed(IdType.UUID, app, name);
    }

    /** This family, which had another name. */
    LockFamily<T> formerly(LockFamily<T> former) {
        return new LockFamily<>(by, app, name, appHash, familyHash, former);
    }

    private static <T> LockFamily<T> hashed(IdType<T> by, String app, String name) {
        LockKey family = LockKey.of(app, name);
        return new LockFamily<>(by, app, name, family.appHash(), family.lockHash(), null);
    }

    /**
     * Returns the key of one id's lock. No round trip; a hash is computed for {@code String} and {@code UUID} ids only.
     *
     * @throws InvalidLockIdException if a number is not between -{@link #ID_LIMIT} and {@link #ID_LIMIT}, both
     *     excluded, or a text is blank, has a NUL character or is no valid Unicode
     */
    public LockKey of(T id) {
        Objects.requireNonNull(id, "id");
        long key = by.key(this, id);
        LockKey former = formerly == null ? null : formerly.of(id);
        return new LockKey(app, name + ":" + id, appHash, key, former);
    }

    /**
     * Returns the id that a key of this family was made from, or empty where the key is none of this family's, or the
     * family is not {@link #isNumeric() numeric}: a hash cannot be undone.
     */
    public Optional<T> idOf(LockKey key) {
        return by.id(this, key.lockHash());
    }

    /** The type of the ids: {@code Long}, {@code Integer}, {@code String} or {@code UUID}. */
    public Class<T> by() {
        return by.type();
    }

    /** Whether the ids are numbers, so that the key is {@link #familyHash()} XOR the id. */
    public boolean isNumeric() {
        return by.isNumeric();
    }

    /** The application's name. */
    public String app() {
        return app;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long appHash() {
        return appHash;
    }

    /** The hash of {@code app.name}; for numeric ids the number that is XORed with the id. */
    public long familyHash() {
        return familyHash;
    }

    /** The family under its former name, whose keys are taken too; see {@link LockName#formerly()}. */
    public Optional<LockFamily<T>> formerly() {
        return Optional.ofNullable(formerly);
    }

    @Override
    public String toString() {
        return app + "." + name + ":*";
    }
}
