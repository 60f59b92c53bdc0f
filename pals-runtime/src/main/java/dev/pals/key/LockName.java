package dev.pals.key;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the lock that a constant of a {@link LockApp} enum stands for. The name is always written out, since it decides
 * the key: renaming the Java constant must not change the lock.
 */
@Documented
@Target(ElementType.FIELD)
@Retention(RetentionPolicy.SOURCE)
public @interface LockName {
    /** The lock's name, taken as it is; neither blank nor with a NUL character, and without {@code ':'}. */
    String value();

    /** The type of the ids of a {@link LockFamily}: {@code Long.class}; {@code void.class} for one plain lock. */
    Class<?> by() default void.class;
}
