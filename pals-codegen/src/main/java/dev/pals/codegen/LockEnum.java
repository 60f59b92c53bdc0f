package dev.pals.codegen;

import dev.pals.key.LockKey;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.lang.model.element.TypeElement;

/**
 * A {@code @LockApp} enum as read: what is needed to check it and to write its keys.
 *
 * @param locks without the constants that are in error
 * @param complete whether no constant is left out
 */
record LockEnum(TypeElement type, String packageName, String app, List<Lock> locks, boolean complete) {

    /**
     * One constant; the key of a family is the one that its ids are XORed with, or that their texts are appended to.
     *
     * @param place such as {@code test.BillingLock.INVOICE_RUN}
     */
    record Lock(Annotated lockName, String place, LockKey key, IdKind by, Optional<LockKey> former) {
        String constantName() {
            return lockName.element().getSimpleName().toString();
        }

        /** The key of the name, and that of the former name where there is one: all that this constant takes. */
        Stream<LockKey> keys() {
            return Stream.concat(Stream.of(key), former.stream());
        }

        /** The annotation's member that a key comes from. */
        String memberOf(LockKey oneOfKeys) {
            return oneOfKeys.equals(key) ? "value" : "formerly";
        }
    }

    String qualifiedName() {
        return type.getQualifiedName().toString();
    }

    /** The generated class: {@code BillingLockKeys}, {@code Outer_BillingLockKeys} for a nested enum. */
    String generatedName() {
        String inPackage =
                packageName.isEmpty() ? qualifiedName() : qualifiedName().substring(packageName.length() + 1);
        return inPackage.replace('.', '_') + "Keys";
    }

    String qualifiedGeneratedName() {
        return packageName.isEmpty() ? generatedName() : packageName + "." + generatedName();
    }
}
