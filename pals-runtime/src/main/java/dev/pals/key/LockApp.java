package dev.pals.key;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the application whose locks an enum declares, so that lock names of two applications on one PostgreSQL do not
 * meet. The annotation processor of {@code pals-codegen} generates a class of typed keys for the enum.
 *
 * <pre>{@code
 * @LockApp("billing")
 * enum BillingLock {
 *     @LockName("invoice-run")
 *     INVOICE_RUN,
 *     @LockName(value = "account", by = Long.class)
 *     ACCOUNT
 * }
 *
 * locker.exclusive(BillingLockKeys.INVOICE_RUN).acquire();
 * locker.exclusive(BillingLockKeys.ACCOUNT.of(42L)).acquire();
 * }</pre>
 *
 * <p>The enum has a source file of its own, or is nested in a class: javac's {@code -Xlint:auxiliaryclass} warns of a
 * second class of a file that the generated one refers to.
 */
@Documented
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.CLASS)
public @interface LockApp {
    /** The application's name, taken as it is; neither blank nor with a NUL character, and without {@code ':'}. */
    String value();
}
