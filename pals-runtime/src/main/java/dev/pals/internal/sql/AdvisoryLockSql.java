package dev.pals.internal.sql;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.selectFrom;
import static org.jooq.impl.DSL.unnest;
import static org.jooq.impl.DSL.using;
import static org.jooq.impl.DSL.val;
import static org.jooq.impl.DSL.with;
import static org.jooq.impl.DSL.withRecursive;

import dev.pals.db.jooq.pg_catalog.Routines;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryLock1;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryLockShared1;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryUnlockAll;
import dev.pals.lock.LockMode;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Select;

/**
 * The statements that take and free session-level advisory locks, built through the jOOQ DSL from the generated
 * routines. Each is rendered once: rendering for each call costs a fifth of a lock cycle.
 *
 * @see <a href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS">Advisory lock
 *     functions</a>
 */
public final class AdvisoryLockSql {
    /** Frees every session-level advisory lock of the session. No parameters. */
    public static final String UNLOCK_ALL = render(select(new PgAdvisoryUnlockAll().asField()));

    private static final Field<Long> KEY = field(name("keys", "key"), Long.class);

    private static final String TRY_EXCLUSIVE = render(select(Routines.pgTryAdvisoryLock1(val(0L))));
    private static final String TRY_SHARED = render(select(Routines.pgTryAdvisoryLockShared1(val(0L))));
    private static final String TRY_ALL_EXCLUSIVE = trying(Routines.pgTryAdvisoryLock1(KEY));
    private static final String TRY_ALL_SHARED = trying(Routines.pgTryAdvisoryLockShared1(KEY));
    private static final String WAIT_EXCLUSIVE = waiting(exclusive());
    private static final String WAIT_SHARED = waiting(shared());

    private AdvisoryLockSql() {}

    /** Takes the lock if it is free. Parameter: the key. Result: a boolean. */
    public static String tryLock(LockMode mode) {
        return mode == LockMode.EXCLUSIVE ? TRY_EXCLUSIVE : TRY_SHARED;
    }

    /**
     * Takes the locks one after the other, as long as each is free. Parameter: the keys, an array. Result: a boolean
     * for each that was tried; the last one is false where not all were taken.
     */
    public static String tryLocks(LockMode mode) {
        return mode == LockMode.EXCLUSIVE ? TRY_ALL_EXCLUSIVE : TRY_ALL_SHARED;
    }

    /** Waits for the lock. Parameters: the {@code lock_timeout}, as text in milliseconds, "0" for none; the key. */
    public static String waitForLock(LockMode mode) {
        return mode == LockMode.EXCLUSIVE ? WAIT_EXCLUSIVE : WAIT_SHARED;
    }

    /** A recursion, since it alone lets each lock be tried only after the one before was taken. */
    private static String trying(Field<Boolean> lock) {
        Field<Long> place = field(name("keys", "place"), Long.class);
        Field<Long> placeTaken = field(name("taken", "place"), Long.class);
        Field<Boolean> taken = field(name("taken", "taken"), Boolean.class);
        var keys = name("keys")
                .fields(new String[] {"key", "place"})
                .as(selectFrom(unnest(val(new Long[0])).withOrdinality()));
        var first = select(place, lock).from(name("keys")).where(place.eq(inline(1L)));
        var next = select(place, lock)
                .from(name("taken"))
                .join(name("keys"))
                .on(place.eq(placeTaken.add(inline(1L))))
                .where(taken);
        return render(withRecursive(
                        keys,
                        name("taken").fields(new String[] {"place", "taken"}).as(first.unionAll(next)))
                .select(taken)
                .from(name("taken")));
    }

    /**
     * Sets {@code lock_timeout} and locks in one round trip. The setting is local to the statement's own transaction;
     * the CTE is materialized, so that it is evaluated before the lock.
     */
    private static String waiting(Field<?> lock) {
        var timeout = name("t").asMaterialized(select(Routines.setConfig(val("lock_timeout"), val("0"), val(true))));
        return render(with(timeout).select(lock).from(name("t")));
    }

    private static Field<?> exclusive() {
        PgAdvisoryLock1 lock = new PgAdvisoryLock1();
        lock.set__1(0L);
        return lock.asField();
    }

    private static Field<?> shared() {
        PgAdvisoryLockShared1 lock = new PgAdvisoryLockShared1();
        lock.set__1(0L);
        return lock.asField();
    }

    private static String render(Select<?> statement) {
        return using(SQLDialect.POSTGRES).render(statement);
    }
}
