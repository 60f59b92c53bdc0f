package dev.pals.codegen;

import java.util.Arrays;
import java.util.Optional;

/** What a constant declares: one lock, or a lock for each id of a type. */
enum IdKind {
    NONE("void", "plain", "key"),
    LONG("java.lang.Long", "numeric", "byLong"),
    INTEGER("java.lang.Integer", "numeric", "byInteger"),
    STRING("java.lang.String", "hashed", "byString"),
    UUID("java.util.UUID", "hashed", "byUuid");

    private final String typeName;
    private final String keySpace;
    private final String factory;

    IdKind(String typeName, String keySpace, String factory) {
        this.typeName = typeName;
        this.keySpace = keySpace;
        this.factory = factory;
    }

    /** The kind of a {@code by = ...}; empty where no family can be by that type. */
    static Optional<IdKind> of(String typeName) {
        return Arrays.stream(values())
                .filter(kind -> kind.typeName.equals(typeName))
                .findFirst();
    }

    boolean isFamily() {
        return this != NONE;
    }

    /** Whether ids are XORed, so that keys are found up to 2^40 around the family's own. */
    boolean isNumeric() {
        return keySpace.equals("numeric");
    }

    String typeName() {
        return typeName;
    }

    /** The method of {@link dev.pals.key.GeneratedLocks} that makes it. */
    String factory() {
        return factory;
    }

    /** How ids become keys; two kinds that share it have the same keys. */
    String keySpace() {
        return keySpace;
    }
}
