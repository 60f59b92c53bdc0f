package dev.pals.key;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * For the code that the annotation processor generates, and for no other: the keys and families of one enum, from
 * numbers that were computed and checked at compile time. Handwritten code calls {@link LockKey#of(String, String)} and
 * {@link LockFamily#byLong(String, String)}.
 *
 * <p>A generated class fills it while it is initialised, by one thread; any number may read it from then on.
 */
public final class GeneratedLocks {
    private final String app;
    private final long appHash;
    /** By the name of the enum's constant, in the order of the constants. */
    private final Map<String, LockDeclaration> declarations = new LinkedHashMap<>();

    /** Starts the locks of an application. */
    public GeneratedLocks(String app, long appHash) {
        this.app = Objects.requireNonNull(app, "app");
        this.appHash = appHash;
    }

    /** Adds the key of one lock. */
    public LockKey key(String constant, String name, long lockHash) {
        return added(constant, new LockKey(app, name, appHash, lockHash, null));
    }

    /** Adds the key of a lock that had another name. */
    public LockKey key(String constant, String name, long lockHash, String formerName, long formerHash) {
        LockKey former = new LockKey(app, formerName, appHash, formerHash, null);
        return added(constant, new LockKey(app, name, appHash, lockHash, former));
    }

    /** Adds a family by {@code Long}. */
    public LockFamily<Long> byLong(String constant, String name, long familyHash) {
        return added(constant, family(IdType.LONG, name, familyHash));
    }

    /** Adds a family by {@code Long} that had another name. */
    public LockFamily<Long> byLong(String constant, String name, long familyHash, String formerName, long formerHash) {
        return added(constant, family(IdType.LONG, name, familyHash, formerName, formerHash));
    }

    /** Adds a family by {@code Integer}. */
    public LockFamily<Integer> byInteger(String constant, String name, long familyHash) {
        return added(constant, family(IdType.INTEGER, name, familyHash));
    }

    /** Adds a family by {@code Integer} that had another name. */
    public LockFamily<Integer> byInteger(
            String constant, String name, long familyHash, String formerName, long formerHash) {
        return added(constant, family(IdType.INTEGER, name, familyHash, formerName, formerHash));
    }

    /** Adds a family by {@code String}. */
    public LockFamily<String> byString(String constant, String name, long familyHash) {
        return added(constant, family(IdType.STRING, name, familyHash));
    }

    /** Adds a family by {@code String} that had another name. */
    public LockFamily<String> byString(
            String constant, String name, long familyHash, String formerName, long formerHash) {
        return added(constant, family(IdType.STRING, name, familyHash, formerName, formerHash));
    }

    /** Adds a family by {@code UUID}. */
    public LockFamily<UUID> byUuid(String constant, String name, long familyHash) {
        return added(constant, family(IdType.UUID, name, familyHash));
    }

    /** Adds a family by {@code UUID} that had another name. */
    public LockFamily<UUID> byUuid(String constant, String name, long familyHash, String formerName, long formerHash) {
        return added(constant, family(IdType.UUID, name, familyHash, formerName, formerHash));
    }

    private <D extends LockDeclaration> D added(String constant, D declaration) {
        declarations.put(constant, declaration);
        return declaration;
    }

    private <T> LockFamily<T> family(IdType<T> by, String name, long familyHash) {
        return new LockFamily<>(by, app, name, appHash, familyHash, null);
    }

    private <T> LockFamily<T> family(IdType<T> by, String name, long familyHash, String formerName, long formerHash) {
        return new LockFamily<>(by, app, name, appHash, familyHash, family(by, formerName, formerHash));
    }

    /**
     * Returns what a constant of the enum declares. By its name and not by its ordinal, which means another constant
     * where the enum alone was compiled anew.
     *
     * @throws IllegalStateException if the enum has got the constant after this class of keys was generated
     */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // The processor knows what it declared.
    public <D extends LockDeclaration> D of(Enum<?> constant) {
        LockDeclaration declaration = declarations.get(constant.name());
        if (declaration == null) {
            throw new IllegalStateException(
                    "The lock keys of " + constant.getDeclaringClass().getName() + " do not know its constant "
                            + constant.name() + ", which is newer than they are. Compile the enum's module anew.");
        }
        return (D) declaration;
    }

    /** The plain locks, in the order of the enum's constants. */
    public List<LockKey> keys() {
        return declarations.values().stream()
                .filter(LockKey.class::isInstance)
                .map(LockKey.class::cast)
                .toList();
    }

    /** The families, in the order of the enum's constants. */
    public List<LockFamily<?>> families() {
        return declarations.values().stream()
                .filter(LockFamily.class::isInstance)
                .<LockFamily<?>>map(LockFamily.class::cast)
                .toList();
    }
}
