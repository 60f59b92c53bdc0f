package dev.pals.internal.sql;

import static org.jooq.impl.DSL.choose;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.function;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.selectFrom;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.unnest;
import static org.jooq.impl.DSL.using;
import static org.jooq.impl.DSL.val;
import static org.jooq.impl.DSL.with;
import static org.jooq.impl.DSL.withRecursive;
import static org.jooq.impl.SQLDataType.BIGINT;
import static org.jooq.impl.SQLDataType.INTEGER;

import dev.pals.db.jooq.pg_catalog.Routines;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryLock1;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryLockShared1;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryUnlockAll;
import dev.pals.lock.LockMode;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
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

    private static final Map<LockCommand, String> COMMANDS = new EnumMap<>(Map.of(
            LockCommand.TRY_EXCLUSIVE, render(select(Routines.pgTryAdvisoryLock1(val(0L)))),
            LockCommand.TRY_SHARED, render(select(Routines.pgTryAdvisoryLockShared1(val(0L)))),
            LockCommand.UNLOCK_EXCLUSIVE, render(select(Routines.pgAdvisoryUnlock1(val(0L)))),
            LockCommand.UNLOCK_SHARED, render(select(Routines.pgAdvisoryUnlockShared1(val(0L)))),
            LockCommand.HEARTBEAT, render(select(inline(true)))));

    private static final String TRY_ALL_EXCLUSIVE = trying(Routines.pgTryAdvisoryLock1(KEY));
    private static final String TRY_ALL_SHARED = trying(Routines.pgTryAdvisoryLockShared1(KEY));
    private static final String WAIT_EXCLUSIVE = waiting(exclusive());
    private static final String WAIT_SHARED = waiting(shared());

    /**
     * Many commands in one statement, in this order. Parameters: their codes, and their keys, two arrays. Result: a
     * boolean for each.
     */
    public static final String BATCH = batch();

    /**
     * The bigint keys that this session holds in this database, and whether it holds them exclusively. No parameters.
     */
    public static final String OWN_LOCKS = ownLocks();

    /** For how many locks of all its sessions the server has room. No parameters. */
    public static final String LOCK_TABLE_SIZE = render(select(setting("max_locks_per_transaction")
            .mul(setting("max_connections").add(setting("max_prepared_transactions")))));

    private AdvisoryLockSql() {}

    /** One command alone. Parameter: the key; none for the heartbeat. Result: a boolean. */
    public static String command(LockCommand command) {
        return Objects.requireNonNull(COMMANDS.get(command));
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

    private static Field<Integer> setting(String name) {
        return function(name("pg_catalog", "current_setting"), String.class, inline(name))
                .cast(INTEGER);
    }

    private static String batch() {
        Field<Integer> kind = field(name("commands", "kind"), Integer.class);
        Field<Long> key = field(name("commands", "key"), Long.class);
        return render(select(choose(kind)
                        .when(inline(LockCommand.TRY_EXCLUSIVE.code()), Routines.pgTryAdvisoryLock1(key))
                        .when(inline(LockCommand.TRY_SHARED.code()), Routines.pgTryAdvisoryLockShared1(key))
                        .when(inline(LockCommand.UNLOCK_EXCLUSIVE.code()), Routines.pgAdvisoryUnlock1(key))
                        .when(inline(LockCommand.UNLOCK_SHARED.code()), Routines.pgAdvisoryUnlockShared1(key))
                        .otherwise(inline(true)))
                .from(table("unnest({0}, {1})", val(new Integer[0]), val(new Long[0]))
                        .as("commands", "kind", "key")));
    }

    private static String ownLocks() {
        Field<Long> high = field(name("classid"), Long.class);
        Field<Long> low = field(name("objid"), Long.class);
        return render(select(
                        high.cast(BIGINT).shl(inline(32)).bitOr(low.cast(BIGINT)),
                        field(name("mode"), String.class).eq(inline("ExclusiveLock")))
                .from(name("pg_catalog", "pg_locks"))
                .where(field(name("locktype"), String.class).eq(inline("advisory")))
                .and(field(name("objsubid"), Integer.class).eq(inline(1)))
                .and(field(name("pid"), Integer.class)
                        .eq(function(name("pg_catalog", "pg_backend_pid"), Integer.class)))
                .and(field(name("granted"), Boolean.class)));
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
