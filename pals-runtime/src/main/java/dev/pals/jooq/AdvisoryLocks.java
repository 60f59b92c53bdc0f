package dev.pals.jooq;

import static org.jooq.impl.DSL.when;

import dev.pals.key.LockFamily;
import org.jooq.Field;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;

/** The keys of locks as fields of jOOQ's DSL. Stateless and thread-safe. */
public final class AdvisoryLocks {
    private AdvisoryLocks() {}

    /**
     * The key of the lock whose id is in a column: the number that {@link LockFamily#of} gives for it, computed in SQL.
     *
     * <pre>{@code
     * dsl.select(JOB.ID, AdvisoryLocks.key(JobLockKeys.JOBS, JOB.ID)).from(JOB)
     * }</pre>
     *
     * <p>It is null where the id is null. PostgreSQL raises SQLSTATE 22003 (numeric value out of range) where the id is
     * not between -{@link LockFamily#ID_LIMIT} and {@link LockFamily#ID_LIMIT}, both excluded.
     *
     * @throws IllegalArgumentException if the family has a former name, whose keys a single field cannot take too
     */
    public static <T extends Number> Field<Long> key(LockFamily<T> family, Field<? extends Number> id) {
        family.formerly().ifPresent(former -> {
            throw new IllegalArgumentException("The lock family " + family + " was formerly " + former
                    + ", and a field holds one key only: take its locks through a Locker, which takes both, until"
                    + " formerly is removed.");
        });
        Field<Long> number = id.cast(SQLDataType.BIGINT);
        // In range it is the number itself; beyond, the sum overflows and so raises the error.
        Field<Long> checked = when(number.between(-LockFamily.ID_LIMIT + 1, LockFamily.ID_LIMIT - 1), number)
                .when(number.gt(0L), number.add(Long.MAX_VALUE))
                .otherwise(number.add(Long.MIN_VALUE));
        return DSL.val(family.familyHash(), SQLDataType.BIGINT).bitXor(checked);
    }
}
