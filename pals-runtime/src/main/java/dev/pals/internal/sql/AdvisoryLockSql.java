package dev.pals.internal.sql;

import static dev.pals.db.jooq.pals.Sequences.FENCING_TOKEN;
import static org.jooq.impl.DSL.choose;
import static org.jooq.impl.DSL.condition;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.function;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.selectFrom;
import static org.jooq.impl.DSL.selectOne;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.unnest;
import static org.jooq.impl.DSL.using;
import static org.jooq.impl.DSL.val;
import static org.jooq.impl.DSL.when;
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
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Name;
import org.jooq.SQLDialect;
import org.jooq.Select;
import org.jooq.impl.DSL;

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
    private static final Field<Long> BATCH_KEY = field(name("commands", "key"), Long.class);
    /** In place of a fencing token. */
    private static final Field<Long> NONE = inline(0L);

    private static final Map<LockCommand, String> COMMANDS = new EnumMap<>(Map.of(
            LockCommand.TRY_EXCLUSIVE, render(select(Routines.pgTryAdvisoryLock1(val(0L)))),
            LockCommand.TRY_EXCLUSIVE_FENCED, render(select(fenced(Routines.pgTryAdvisoryLock1(val(0L))))),
            LockCommand.TRY_SHARED, render(select(Routines.pgTryAdvisoryLockShared1(val(0L)))),
            LockCommand.UNLOCK_EXCLUSIVE, render(select(Routines.pgAdvisoryUnlock1(val(0L)))),
            LockCommand.UNLOCK_SHARED, render(select(Routines.pgAdvisoryUnlockShared1(val(0L)))),
            LockCommand.HEARTBEAT, render(select(inline(true))),
            LockCommand.LOOK_IF_HELD, looking(true),
            LockCommand.LOOK_IF_WAITED_FOR, looking(false)));

    private static final String TRY_ALL_EXCLUSIVE = trying(number(Routines.pgTryAdvisoryLock1(KEY)));
    private static final String TRY_ALL_FENCED = trying(fenced(Routines.pgTryAdvisoryLock1(KEY)));
    private static final String TRY_ALL_SHARED = trying(number(Routines.pgTryAdvisoryLockShared1(KEY)));
    private static final String WAIT_EXCLUSIVE = waiting(exclusive(), NONE);
    private static final String WAIT_FENCED = waiting(exclusive(), nextToken());
    private static final String WAIT_SHARED = waiting(shared(), NONE);
    private static final String BATCH = batch(number(Routines.pgTryAdvisoryLock1(BATCH_KEY)));
    private static final String BATCH_FENCED = batch(fenced(Routines.pgTryAdvisoryLock1(BATCH_KEY)));

    /**
     * The bigint keys that this session holds in this database, and whether it holds them exclusively. No parameters.
     */
    public static final String OWN_LOCKS = ownLocks();

    /** For how many locks of all its sessions the server has room. No parameters. */
    public static final String LOCK_TABLE_SIZE = render(select(setting("max_locks_per_transaction")
            .mul(setting("max_connections").add(setting("max_prepared_transactions")))));

    /** Whether fencing tokens can be had: the sequence is there, and this role may use it. No parameters. */
    public static final String FENCING_IS_INSTALLED = fencingIsInstalled();

    /**
     * Makes settings for the session. Parameters: the names and the values, two arrays of text. Result: each name, and
     * the value until then, the one set, and the session's process.
     */
    public static final String EXCHANGE_SETTINGS = exchangingSettings();

    private AdvisoryLockSql() {}

    /**
     * One command alone. Parameter: the key; none for the heartbeat. Result: a boolean; for a fenced one the token, or
     * null.
     */
    public static String command(LockCommand command) {
        return Objects.requireNonNull(COMMANDS.get(command));
    }

    /**
     * Many commands in one statement, in this order. Parameters: their codes, and their keys, two arrays. Result: a
     * number for each, 0 or null for no, the token for a fenced one and 1 for any other.
     */
    public static String batch(boolean fenced) {
        return fenced ? BATCH_FENCED : BATCH;
    }

    /**
     * Takes the locks one after the other, as long as each is free. Parameter: the keys, an array. Result: a number for
     * each that was tried, as in a batch; the last one is 0 or null where not all were taken.
     */
    public static String tryLocks(LockMode mode, boolean fenced) {
        if (mode == LockMode.SHARED) {
            return TRY_ALL_SHARED;
        }
        return fenced ? TRY_ALL_FENCED : TRY_ALL_EXCLUSIVE;
    }

    /**
     * Waits for the lock. Parameters: the {@code lock_timeout}, as text in milliseconds, "0" for none; the key. Result:
     * the lock function's, and the token, or 0 where none is asked for.
     */
    public static String waitForLock(LockMode mode, boolean fenced) {
        if (mode == LockMode.SHARED) {
            return WAIT_SHARED;
        }
        return fenced ? WAIT_FENCED : WAIT_EXCLUSIVE;
    }

    /** 1 or 0. */
    private static Field<Long> number(Field<Boolean> lock) {
        return lock.cast(INTEGER).cast(BIGINT);
    }

    /** A token only if the lock was free: no two holders have the same, and a later holder has a greater one. */
    private static Field<Long> fenced(Field<Boolean> lock) {
        return when(condition(lock), nextToken());
    }

    private static Field<Long> nextToken() {
        return FENCING_TOKEN.nextval();
    }

    /** A recursion, since it alone lets each lock be tried only after the one before was taken. */
    private static String trying(Field<Long> lock) {
        Field<Long> place = field(name("keys", "place"), Long.class);
        Field<Long> placeTaken = field(name("taken", "place"), Long.class);
        Field<Long> taken = field(name("taken", "taken"), Long.class);
        var keys = name("keys")
                .fields(new String[] {"key", "place"})
                .as(selectFrom(unnest(val(new Long[0])).withOrdinality()));
        var first = select(place, lock).from(name("keys")).where(place.eq(inline(1L)));
        var next = select(place, lock)
                .from(name("taken"))
                .join(name("keys"))
                .on(place.eq(placeTaken.add(inline(1L))))
                .where(taken.gt(inline(0L)));
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
    private static String waiting(Field<?> lock, Field<Long> token) {
        var timeout =
                name("t").asMaterialized(select(Routines.setConfig(inline("lock_timeout"), val("0"), inline(true))));
        var locked = name("l").fields("locked").asMaterialized(select(lock).from(name("t")));
        return render(
                with(timeout, locked).select(field(name("l", "locked")), token).from(name("l")));
    }

    private static Field<Integer> setting(String name) {
        return function(currentSetting(), String.class, inline(name)).cast(INTEGER);
    }

    private static Name currentSetting() {
        return name("pg_catalog", "current_setting");
    }

    private static String batch(Field<Long> tryExclusive) {
        Field<Integer> kind = field(name("commands", "kind"), Integer.class);
        return render(select(choose(kind)
                        .when(inline(LockCommand.TRY_EXCLUSIVE.code()), tryExclusive)
                        .when(inline(LockCommand.TRY_EXCLUSIVE_FENCED.code()), tryExclusive)
                        .when(
                                inline(LockCommand.TRY_SHARED.code()),
                                number(Routines.pgTryAdvisoryLockShared1(BATCH_KEY)))
                        .when(
                                inline(LockCommand.UNLOCK_EXCLUSIVE.code()),
                                number(Routines.pgAdvisoryUnlock1(BATCH_KEY)))
                        .when(
                                inline(LockCommand.UNLOCK_SHARED.code()),
                                number(Routines.pgAdvisoryUnlockShared1(BATCH_KEY)))
                        .otherwise(inline(1L)))
                .from(table("unnest({0}, {1})", val(new Integer[0]), val(new Long[0]))
                        .as("commands", "kind", "key")));
    }

    private static String exchangingSettings() {
        Field<String> name = field(name("wanted", "name"), String.class);
        Field<String> value = field(name("wanted", "value"), String.class);
        Field<String> before = field(name("before", "before"), String.class);
        var previous = name("before")
                .fields("name", "value", "before")
                .asMaterialized(select(name, value, function(currentSetting(), String.class, name))
                        .from(table("unnest({0}, {1})", val(new String[0]), val(new String[0]))
                                .as("wanted", "name", "value")));
        return render(with(previous)
                .select(
                        field(name("before", "name"), String.class),
                        before,
                        Routines.setConfig(
                                field(name("before", "name"), String.class),
                                field(name("before", "value"), String.class),
                                inline(false)),
                        backendPid())
                .from(name("before")));
    }

    private static String fencingIsInstalled() {
        Field<String> sequence = inline(FENCING_TOKEN.getQualifiedName().toString());
        Field<Object> found = function(name("pg_catalog", "to_regclass"), Object.class, sequence);
        return render(select(DSL.coalesce(
                function(name("pg_catalog", "has_sequence_privilege"), Boolean.class, found, inline("usage")),
                inline(false))));
    }

    private static String looking(boolean granted) {
        Field<Long> key = val(0L);
        // As text: jOOQ's exists(Select) is exists(TableLike) in 3.21, which is another method to what is compiled.
        return render(select(field(
                "exists ({0})",
                Boolean.class,
                selectOne()
                        .from(name("pg_catalog", "pg_locks"))
                        .where(lockKey().eq(key))
                        .and(isAdvisoryLockOfThisDatabase())
                        .and(field(name("granted"), Boolean.class).eq(inline(granted))))));
    }

    private static String ownLocks() {
        return render(select(lockKey(), field(name("mode"), String.class).eq(inline("ExclusiveLock")))
                .from(name("pg_catalog", "pg_locks"))
                .where(isAdvisoryLockOfThisDatabase())
                .and(field(name("pid"), Integer.class).eq(backendPid()))
                .and(field(name("granted"), Boolean.class)));
    }

    private static Field<Integer> backendPid() {
        return function(name("pg_catalog", "pg_backend_pid"), Integer.class);
    }

    /** It stands there in two halves. */
    private static Field<Long> lockKey() {
        Field<Long> high = field(name("classid"), Long.class);
        Field<Long> low = field(name("objid"), Long.class);
        return high.cast(BIGINT).shl(inline(32)).bitOr(low.cast(BIGINT));
    }

    /** With a bigint key; two integers are another key space. */
    private static Condition isAdvisoryLockOfThisDatabase() {
        return field(name("locktype"), String.class)
                .eq(inline("advisory"))
                .and(field(name("objsubid"), Integer.class).eq(inline(1)))
                .and(field(name("database"), Long.class)
                        .eq(select(field(name("oid"), Long.class))
                                .from(name("pg_catalog", "pg_database"))
                                .where(field(name("datname"), String.class)
                                        .eq(function(name("pg_catalog", "current_database"), String.class)))));
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
