package dev.pals.internal.sql;

import static dev.pals.db.jooq.pals.Sequences.FENCING_TOKEN;
import static dev.pals.db.jooq.pals.Tables.ADVISORY_LOCK;
import static dev.pals.db.jooq.pals.Tables.ADVISORY_WAIT;
import static dev.pals.db.jooq.pals.Tables.FENCE;
import static dev.pals.db.jooq.pals.Tables.LOCK_NAME;
import static org.jooq.impl.DSL.and;
import static org.jooq.impl.DSL.condition;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.function;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.not;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.val;
import static org.jooq.impl.SQLDataType.BIGINT;

import dev.pals.db.PalsSchema;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Name;
import org.jooq.Named;
import org.jooq.Record;
import org.jooq.Table;
import org.jspecify.annotations.Nullable;

/** What is asked of the server for a support ticket: nothing here is in a hurry. */
public final class DoctorSql {
    /** What the server calls itself. */
    public static final Field<String> VERSION = field(name("version"), String.class);
    /** When it was started. */
    public static final Field<OffsetDateTime> STARTED = field(name("started"), OffsetDateTime.class);
    /** Its time. */
    public static final Field<OffsetDateTime> NOW = field(name("now"), OffsetDateTime.class);
    /** The database. */
    public static final Field<String> DATABASE = field(name("database"), String.class);
    /** The role. */
    public static final Field<String> ROLE = field(name("role"), String.class);
    /** The session's process. */
    public static final Field<Integer> PID = field(name("pid"), Integer.class);
    /** How many are in use. */
    public static final Field<Long> USED = field(name("used"), Long.class);
    /** Of how many. */
    public static final Field<Long> MOST = field(name("most"), Long.class);
    /** How many of those in use are advisory locks. */
    public static final Field<Long> ADVISORY = field(name("advisory"), Long.class);

    private DoctorSql() {}

    /** One record: {@link #VERSION}, {@link #STARTED}, {@link #NOW}, {@link #DATABASE}, {@link #ROLE}, {@link #PID}. */
    public static Record server(DSLContext dsl) {
        return dsl.select(
                        catalog("version", String.class).as(VERSION),
                        catalog("pg_postmaster_start_time", OffsetDateTime.class)
                                .as(STARTED),
                        catalog("clock_timestamp", OffsetDateTime.class).as(NOW),
                        catalog("current_database", String.class).as(DATABASE),
                        field("current_user", String.class).as(ROLE),
                        catalog("pg_backend_pid", Integer.class).as(PID))
                .fetchSingle();
    }

    /** One record: {@link #USED}, {@link #MOST}. */
    public static Record connections(DSLContext dsl) {
        return dsl.select(
                        field(select(count().cast(BIGINT))
                                        .from(name("pg_catalog", "pg_stat_activity"))
                                        .where(field(name("backend_type"), String.class)
                                                .eq(inline("client backend")))
                                        // Without pg_read_all_stats, those of other roles have no type.
                                        .or(and(
                                                field(name("backend_type")).isNull(),
                                                field(name("usesysid")).isNotNull())))
                                .as(USED),
                        setting("max_connections").as(MOST))
                .fetchSingle();
    }

    /**
     * One record: {@link #USED}, {@link #MOST}, {@link #ADVISORY}. Locks by the fast path take no place, and predicate
     * locks have a table of their own.
     *
     * @see <a href="https://www.postgresql.org/docs/current/view-pg-locks.html">pg_locks</a>
     */
    public static Record lockTable(DSLContext dsl) {
        return dsl.select(
                        count().cast(BIGINT).as(USED),
                        count().filterWhere(
                                        field(name("locktype"), String.class).eq(inline("advisory")))
                                .cast(BIGINT)
                                .as(ADVISORY),
                        setting("max_locks_per_transaction")
                                .mul(setting("max_connections").add(setting("max_prepared_transactions")))
                                .as(MOST))
                .from(name("pg_catalog", "pg_locks"))
                .where(not(field(name("fastpath"), Boolean.class)))
                .and(field(name("mode"), String.class).ne(inline("SIReadLock")))
                .fetchSingle();
    }

    /** The columns of the schema's views and tables that this version reads and that are not there. */
    public static List<String> missingColumns(DSLContext dsl) {
        List<String> missing = new ArrayList<>();
        for (Table<?> expected : List.of(LOCK_NAME, ADVISORY_LOCK, ADVISORY_WAIT, FENCE)) {
            Set<String> there = new HashSet<>(dsl.select(field(name("attname"), String.class))
                    .from(name("pg_catalog", "pg_attribute"))
                    .where(field(name("attrelid"), Long.class).eq(oid(expected)))
                    .fetch(row -> row.value1()));
            expected.fieldStream()
                    .map(Field::getName)
                    .filter(column -> !there.contains(column))
                    .forEach(column -> missing.add(expected.getName() + "." + column));
        }
        return missing;
    }

    /** Of the newest migration; null where this role may not read it. */
    public static @Nullable String schemaVersion(DSLContext dsl) {
        Table<?> history = table(name(PalsSchema.NAME, "flyway_schema_history"));
        // Null where the schema was installed without Flyway.
        @Nullable
        Boolean readable = dsl.select(has("has_table_privilege", history, "select"))
                .fetchSingle()
                .value1();
        return !Boolean.TRUE.equals(readable)
                ? null
                : dsl.select(field(name("version"), String.class))
                        .from(history)
                        .where(field(name("success"), Boolean.class))
                        .and(field(name("version")).isNotNull())
                        .orderBy(field(name("installed_rank")).desc())
                        .limit(1)
                        .fetchOne(row -> row.value1());
    }

    /** The rights that the library can use and this role lacks, each with what for. */
    public static List<String> missingRights(DSLContext dsl) {
        record Right(Field<Boolean> isThere, String lacked) {}
        List<Right> rights = List.of(
                new Right(
                        has("has_table_privilege", ADVISORY_LOCK, "select"),
                        "select on pals.advisory_lock (to see who holds)"),
                new Right(
                        has("has_table_privilege", ADVISORY_WAIT, "select"),
                        "select on pals.advisory_wait (to see who waits)"),
                new Right(
                        mayReadAndWrite(LOCK_NAME),
                        "select, insert, update on pals.lock_name (for its locks to have names)"),
                new Right(
                        has("has_sequence_privilege", FENCING_TOKEN, "usage"),
                        "usage on sequence pals.fencing_token (for fencing tokens)"),
                new Right(mayReadAndWrite(FENCE), "select, insert, update on pals.fence (for guarded writes)"),
                new Right(
                        catalog("pg_has_role", Boolean.class, inline("pg_read_all_stats"), inline("usage")),
                        "the role pg_read_all_stats (to see what sessions of other roles do)"));
        Record answer = dsl.select(rights.stream().map(Right::isThere).toList()).fetchSingle();
        List<String> missing = new ArrayList<>();
        for (int i = 0; i < rights.size(); i++) {
            if (!Boolean.TRUE.equals(answer.get(i))) {
                missing.add(rights.get(i).lacked());
            }
        }
        return missing;
    }

    /** Each application with the number of its names; empty for none. */
    public static List<String> registeredNames(DSLContext dsl) {
        return dsl.select(LOCK_NAME.APP, count())
                .from(LOCK_NAME)
                .groupBy(LOCK_NAME.APP)
                .orderBy(LOCK_NAME.APP)
                .fetch(row -> Objects.requireNonNullElse(row.value1(), "(no application)") + " " + row.value2());
    }

    private static Field<Boolean> mayReadAndWrite(Table<?> what) {
        return field(and(Stream.of("select", "insert", "update")
                .map(privilege -> condition(has("has_table_privilege", what, privilege)))
                .toList()));
    }

    private static Field<Boolean> has(String function, Named what, String privilege) {
        return catalog(function, Boolean.class, oid(what), inline(privilege));
    }

    /** Null where it is not there. */
    private static Field<Long> oid(Named what) {
        // A generated table's qualified name lacks its schema.
        Name qualified = name(PalsSchema.NAME, what.getName());
        return catalog("to_regclass", Long.class, val(qualified.toString()));
    }

    private static Field<Long> setting(String name) {
        return catalog("current_setting", String.class, inline(name)).cast(BIGINT);
    }

    private static <T> Field<T> catalog(String function, Class<T> type, Field<?>... arguments) {
        return function(name("pg_catalog", function), type, Stream.of(arguments).toArray(Field[]::new));
    }
}
