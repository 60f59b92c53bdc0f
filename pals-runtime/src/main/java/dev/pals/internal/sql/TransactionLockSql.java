package dev.pals.internal.sql;

import static org.jooq.impl.DSL.boolAnd;
import static org.jooq.impl.DSL.concat;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.function;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.using;
import static org.jooq.impl.DSL.val;
import static org.jooq.impl.DSL.when;
import static org.jooq.impl.DSL.with;
import static org.jooq.impl.SQLDataType.VARCHAR;

import dev.pals.db.jooq.pg_catalog.Routines;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryXactLock1;
import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryXactLockShared1;
import dev.pals.lock.LockMode;
import java.util.ArrayList;
import java.util.List;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Name;
import org.jooq.SQLDialect;
import org.jooq.Select;
import org.jooq.impl.DSL;

/**
 * The statements that take transaction-level advisory locks, built through the jOOQ DSL from the generated routines.
 * Each takes all its locks in one round trip, in the order of the keys, and none where the transaction's isolation
 * level would have taken the snapshot before. Each is rendered once.
 *
 * <p>Result, one row: {@link #ISOLATION}, {@link #TRANSACTION}, and {@link #TAKEN}, which is null where the isolation
 * level is not READ COMMITTED.
 *
 * @see <a href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS">Advisory lock
 *     functions</a>
 */
public final class TransactionLockSql {
    /** The transaction's isolation level, as PostgreSQL writes it. */
    public static final Field<String> ISOLATION = field(name("isolation"), String.class);

    /** What no other transaction has: the process, and when the transaction began. */
    public static final Field<String> TRANSACTION = field(name("transaction"), String.class);

    /** Whether all locks are taken. */
    public static final Field<Boolean> TAKEN = field(name("taken"), Boolean.class);

    /** Tells in which transaction it runs: one row with {@link #TRANSACTION} and {@link #ISOLATION}. No parameters. */
    public static final String IDENTITY =
            render(select(transaction(), setting("transaction_isolation").as(ISOLATION)));

    private static final List<String> FRESH_SNAPSHOTS = List.of("read committed", "read uncommitted");

    private static final Field<Long> KEY = field(name("keys", "key"), Long.class);
    private static final Field<String> ISOLATION_LEVEL = field(name("before", "isolation"), String.class);
    private static final Field<String> LOCK_TIMEOUT = field(name("before", "lock_timeout"), String.class);
    private static final Field<Object> START = field(name("before", "start"), Object.class);

    private static final String WAIT_EXCLUSIVE = locking(exclusive());
    private static final String WAIT_SHARED = locking(shared());
    private static final String LIMITED_EXCLUSIVE = limited(exclusive());
    private static final String LIMITED_SHARED = limited(shared());
    private static final String TRY_EXCLUSIVE = locking(Routines.pgTryAdvisoryXactLock1(KEY));
    private static final String TRY_SHARED = locking(Routines.pgTryAdvisoryXactLockShared1(KEY));

    private TransactionLockSql() {}

    /**
     * Waits for each lock as long as the transaction's own {@code lock_timeout} allows. Parameter: the keys, an array.
     */
    public static String waitForLocks(LockMode mode) {
        return mode == LockMode.SHARED ? WAIT_SHARED : WAIT_EXCLUSIVE;
    }

    /**
     * Waits for all locks together as long as the limit allows, and puts {@code lock_timeout} back. Parameters: the
     * limit in milliseconds, more than 0; the keys, an array.
     */
    public static String waitForLocksAtMost(LockMode mode) {
        return mode == LockMode.SHARED ? LIMITED_SHARED : LIMITED_EXCLUSIVE;
    }

    /** Tries each lock without waiting, also after one that is not free. Parameter: the keys, an array. */
    public static String tryLocks(LockMode mode) {
        return mode == LockMode.SHARED ? TRY_SHARED : TRY_EXCLUSIVE;
    }

    /** Whether each statement of a transaction of this isolation level sees what was committed before it. */
    public static boolean seesWhatWasCommitted(String isolation) {
        return FRESH_SNAPSHOTS.contains(isolation);
    }

    private static String locking(Field<Boolean> lock) {
        return render(lock, List.of());
    }

    /** Each wait gets what the ones before have left, since PostgreSQL's limit counts for each lock anew. */
    private static String limited(Field<Boolean> lock) {
        Field<String> left = field(
                "greatest(1, ceil({0} - 1000 * extract(epoch from pg_catalog.clock_timestamp() - {1})))::bigint::text",
                String.class, val(1L), START);
        Condition limited = setLockTimeout(left).isNotNull();
        return render(field(when(limited, lock)), List.of(setLockTimeout(LOCK_TIMEOUT)));
    }

    /** Materialized, so that each part is evaluated before the next, and once. */
    private static String render(Field<Boolean> lock, List<Field<?>> afterwards) {
        Name before = name("before");
        Name locks = name("locks");
        var keys = table("unnest({0})", val(new Long[0])).as("keys", "key");
        List<Field<?>> result = new ArrayList<>(List.of(ISOLATION_LEVEL, transaction(), field(name("all", "taken"))));
        result.addAll(afterwards);
        return render(with(before.asMaterialized(select(
                        setting("lock_timeout").as("lock_timeout"),
                        setting("transaction_isolation").as(ISOLATION),
                        function(name("pg_catalog", "clock_timestamp"), Object.class)
                                .as("start"))))
                .with(locks.asMaterialized(select(when(
                                        ISOLATION_LEVEL.in(FRESH_SNAPSHOTS.stream()
                                                .map(DSL::inline)
                                                .toList()),
                                        lock)
                                .as(TAKEN))
                        .from(table(before), keys)))
                .select(result)
                .from(
                        table(before),
                        table(select(boolAnd(field(TAKEN)).as(TAKEN)).from(locks))
                                .as("all")));
    }

    private static Field<String> transaction() {
        return concat(
                        function(name("pg_catalog", "pg_backend_pid"), Integer.class)
                                .cast(VARCHAR),
                        inline(" since "),
                        function(name("pg_catalog", "transaction_timestamp"), Object.class)
                                .cast(VARCHAR))
                .as(TRANSACTION);
    }

    private static Field<String> setting(String name) {
        return function(name("pg_catalog", "current_setting"), String.class, inline(name));
    }

    private static Field<String> setLockTimeout(Field<String> value) {
        return Routines.setConfig(inline("lock_timeout"), value, inline(true));
    }

    private static Field<Boolean> exclusive() {
        return VoidFunction.granted(new PgAdvisoryXactLock1(), KEY);
    }

    private static Field<Boolean> shared() {
        return VoidFunction.granted(new PgAdvisoryXactLockShared1(), KEY);
    }

    private static String render(Select<?> statement) {
        return using(SQLDialect.POSTGRES).render(statement);
    }
}
