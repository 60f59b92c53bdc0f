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
@Retention(RetentionPolicy.CLASS)
public @interface LockName {
    /** The lock's name, taken as it is; neither blank nor with a NUL character, and without {@code ':'}. */
    String value();

    /**
     * The type of the ids of a {@link LockFamily}: {@code Long.class}, {@code Integer.class}, {@code String.class} or
     * {@code UUID.class}; {@code void.class} for one plain lock.
     */
    Class<?> by() default void.class;

    /**
     * The lock's name before it was renamed; empty where it has always had this one.
     *
     * <p>A renamed lock is another lock, so during a rolling deployment the old and the new version would not exclude
     * each other. While this is set, requests take both locks, in one order everywhere and in one round trip where both
     * are free. Remove it when no program of the old version runs any more.
     */
    String formerly() default "";
}
