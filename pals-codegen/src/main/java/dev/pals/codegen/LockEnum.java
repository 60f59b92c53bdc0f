package dev.pals.codegen;

import dev.pals.key.LockKey;
import java.util.List;
import javax.lang.model.element.TypeElement;
import javax.lang.model.element.VariableElement;

/** A {@code @LockApp} enum as read from the source: what is needed to check it and to write its keys. */
record LockEnum(TypeElement type, String packageName, String app, List<Lock> locks) {

    /** One constant; the key of a family is the one that its ids are XORed with. */
    record Lock(VariableElement constant, LockKey key, boolean family) {
        String constantName() {
            return constant.getSimpleName().toString();
        }
    }

    /** The generated class: {@code BillingLockKeys}, {@code Outer_BillingLockKeys} for a nested enum. */
    String generatedName() {
        String qualified = type.getQualifiedName().toString();
        String inPackage = packageName.isEmpty() ? qualified : qualified.substring(packageName.length() + 1);
        return inPackage.replace('.', '_') + "Keys";
    }

    String qualifiedGeneratedName() {
        return packageName.isEmpty() ? generatedName() : packageName + "." + generatedName();
    }
}
