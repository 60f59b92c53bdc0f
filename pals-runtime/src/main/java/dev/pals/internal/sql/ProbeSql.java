package dev.pals.internal.sql;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.function;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.using;
import static org.jooq.impl.DSL.val;
import static org.jooq.impl.DSL.when;
import static org.jooq.impl.SQLDataType.BIGINT;
import static org.jooq.impl.SQLDataType.INTEGER;

import dev.pals.db.jooq.pg_catalog.Routines;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Select;

/** The statements by which the server is looked at before it is trusted. Each is rendered once. */
public final class ProbeSql {
    /** The session's process in the server. */
    public static final Field<Integer> PID = field(name("pid"), Integer.class);

    /** Whether the lock was granted, or freed. */
    public static final Field<Boolean> DONE = field(name("done"), Boolean.class);

    /** Whether the server replays another's changes. */
    public static final Field<Boolean> STANDBY = field(name("standby"), Boolean.class);

    /** {@code idle_session_timeout}, in milliseconds. */
    public static final Field<Integer> IDLE_TIMEOUT = field(name("idle_timeout"), Integer.class);

    /** {@code transaction_timeout}, in milliseconds; 0 where PostgreSQL is older than 17. */
    public static final Field<Integer> TRANSACTION_TIMEOUT = field(name("transaction_timeout"), Integer.class);

    /** {@code statement_timeout}, in milliseconds. */
    public static final Field<Integer> STATEMENT_TIMEOUT = field(name("statement_timeout"), Integer.class);

    /** How many sessions the server may have. */
    public static final Field<Long> MAX_CONNECTIONS = field(name("max_connections"), Long.class);

    /** For how many locks of all its sessions the server has room. */
    public static final Field<Long> LOCK_TABLE_SIZE = field(name("lock_table_size"), Long.class);

    /**
     * Tells what the server is, and tries a lock where it is the process that was expected: through a pooler, which
     * makes up a number, the lock could stay on a session that the next statement does not reach. Parameters: the
     * expected process, the key. {@link #DONE} is null where it was not tried.
     */
    public static final String LOOK_AND_TRY = render(select(
            pid(),
            when(backendPid().eq(val(0)), Routines.pgTryAdvisoryLock1(val(0L))).as(DONE),
            function(name("pg_catalog", "pg_is_in_recovery"), Boolean.class).as(STANDBY),
            millis("idle_session_timeout").as(IDLE_TIMEOUT),
            millis("transaction_timeout").as(TRANSACTION_TIMEOUT),
            millis("statement_timeout").as(STATEMENT_TIMEOUT),
            number("max_connections").as(MAX_CONNECTIONS),
            number("max_locks_per_transaction")
                    .mul(number("max_connections").add(number("max_prepared_transactions")))
                    .as(LOCK_TABLE_SIZE)));

    /** Only tells the process. */
    public static final String LOOK = render(select(pid()));

    /** Tries a lock. Parameter: the key. */
    public static final String TRY =
            render(select(pid(), Routines.pgTryAdvisoryLock1(val(0L)).as(DONE)));

    /** Frees a lock. Parameter: the key. */
    public static final String FREE =
            render(select(pid(), Routines.pgAdvisoryUnlock1(val(0L)).as(DONE)));

    private ProbeSql() {}

    private static Field<Integer> pid() {
        return backendPid().as(PID);
    }

    private static Field<Integer> backendPid() {
        return function(name("pg_catalog", "pg_backend_pid"), Integer.class);
    }

    private static Field<Long> number(String setting) {
        return function(name("pg_catalog", "current_setting"), String.class, inline(setting))
                .cast(BIGINT);
    }

    /** By the unit of pg_settings, since current_setting would write it in words. */
    private static Field<Integer> millis(String setting) {
        return field(select(field(name("setting"), String.class).cast(INTEGER))
                .from(name("pg_catalog", "pg_settings"))
                .where(field(name("name"), String.class).eq(inline(setting))));
    }

    private static String render(Select<?> statement) {
        return using(SQLDialect.POSTGRES).render(statement);
    }
}
