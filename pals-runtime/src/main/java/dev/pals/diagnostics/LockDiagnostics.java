package dev.pals.diagnostics;

import static dev.pals.db.jooq.pals.Tables.ADVISORY_LOCK;
import static dev.pals.db.jooq.pals.Tables.ADVISORY_WAIT;

import dev.pals.db.jooq.pals.tables.records.AdvisoryLockRecord;
import dev.pals.db.jooq.pals.tables.records.AdvisoryWaitRecord;
import dev.pals.key.LockKey;
import dev.pals.lock.LockUse;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Result;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/**
 * Who holds and who waits in a database, by name, from the audit views of schema {@code pals}: of every program, and of
 * those that do not use PALs too. Each call is two round trips at that moment, which takes some 100 milliseconds where
 * 10,000 locks are held; nothing in the library calls it.
 *
 * <pre>{@code
 * LockDiagnostics locks = LockDiagnostics.of(dsl);
 * System.out.println(locks.held().format());
 * System.out.println(locks.held().formatJSON());
 * System.out.println(LockDiagnostics.tree(locks.waitTree()));
 * }</pre>
 *
 * <p>The results are jOOQ's: {@code format()} makes an aligned table of one, {@code formatJSON()} JSON. What each
 * column says, and what a role without {@code pg_read_all_stats} does not see of others, is in
 * {@code docs/diagnostics.md}.
 *
 * <p>Every call throws {@link org.jooq.exception.DataAccessException} if PostgreSQL fails: with SQLSTATE 42P01 where
 * schema {@code pals} is missing or older than this version, 42501 where the role may not read it. Immutable, and as
 * thread-safe as the DSL that it was made of.
 */
public final class LockDiagnostics {
    private final DSLContext dsl;

    private LockDiagnostics(DSLContext dsl) {
        this.dsl = dsl;
    }

    /** Looks into the database of this DSL. No round trip. */
    public static LockDiagnostics of(DSLContext dsl) {
        return new LockDiagnostics(Objects.requireNonNull(dsl, "dsl"));
    }

    /** All advisory locks that are held, by application, name and key. */
    public Result<AdvisoryLockRecord> held() {
        return looking()
                .selectFrom(ADVISORY_LOCK)
                .where(ADVISORY_LOCK.GRANTED)
                .orderBy(ADVISORY_LOCK.APP, ADVISORY_LOCK.NAME, ADVISORY_LOCK.LOCK_KEY, ADVISORY_LOCK.PID)
                .fetch();
    }

    /**
     * All that are waited for in PostgreSQL, the longest wait first. Who waits within a program for its own threads is
     * not among them.
     */
    public Result<AdvisoryLockRecord> waiting() {
        return looking()
                .selectFrom(ADVISORY_LOCK)
                .where(DSL.not(ADVISORY_LOCK.GRANTED))
                .orderBy(ADVISORY_LOCK.WAITING_SINCE, ADVISORY_LOCK.PID)
                .fetch();
    }

    /**
     * Who waits for whom, from each session that blocks others and waits for no advisory lock itself; every row stands
     * after the one that it waits for. A session that waits for several appears under each, and who waits for that one
     * under the first of these.
     */
    public Result<AdvisoryWaitRecord> waitTree() {
        return looking().selectFrom(ADVISORY_WAIT).orderBy(ADVISORY_WAIT.PATH).fetch();
    }

    /**
     * The sessions that hold the lock of this key: none, one, or several that share it. A former name is another lock.
     */
    public Result<AdvisoryLockRecord> holdersOf(LockKey key) {
        return looking()
                .selectFrom(ADVISORY_LOCK)
                .where(ADVISORY_LOCK.GRANTED)
                .and(ADVISORY_LOCK.KEY_SPACE.eq("bigint"))
                .and(ADVISORY_LOCK.LOCK_KEY.eq(key.lockHash()))
                .orderBy(ADVISORY_LOCK.PID)
                .fetch();
    }

    /** Within a transaction PostgreSQL shows sessions as they were at the first look, beside locks as they are now. */
    private DSLContext looking() {
        dsl.fetch("select pg_catalog.pg_stat_clear_snapshot()");
        return dsl;
    }

    /**
     * The tree as text, a line for each session, further in the deeper it stands:
     *
     * <pre>{@code
     * 4711 billing
     *   4712 reports waits for billing.invoice-run (exclusive)
     * }</pre>
     *
     * @param tree from {@link #waitTree()}
     */
    public static String tree(Result<AdvisoryWaitRecord> tree) {
        return tree.stream().map(LockDiagnostics::line).collect(Collectors.joining());
    }

    /**
     * What only this program knows, as a table beside those of the database: which of its threads has a lock or waits
     * for it, where it asked, for how long, and how many more stand in line in this program; {@code pid} is the same as
     * in {@link #held()}. No round trip.
     *
     * @param uses from {@code locker.uses()}
     */
    public static Result<Record> inThisProgram(List<LockUse> uses) {
        Field<String> app = DSL.field(DSL.name("app"), String.class);
        Field<String> name = DSL.field(DSL.name("name"), String.class);
        Field<Long> key = DSL.field(DSL.name("lock_key"), Long.class);
        Field<String> mode = DSL.field(DSL.name("mode"), String.class);
        Field<Boolean> granted = DSL.field(DSL.name("granted"), Boolean.class);
        Field<Integer> pid = DSL.field(DSL.name("pid"), Integer.class);
        Field<String> thread = DSL.field(DSL.name("thread"), String.class);
        Field<String> takenAt = DSL.field(DSL.name("taken_at"), String.class);
        Field<Long> millis = DSL.field(DSL.name("since_millis"), Long.class);
        Field<Integer> queued = DSL.field(DSL.name("queued"), Integer.class);
        List<Field<?>> columns = List.of(app, name, key, mode, granted, pid, thread, takenAt, millis, queued);
        DSLContext inMemory = DSL.using(SQLDialect.POSTGRES);
        Result<Record> table = inMemory.newResult(columns);
        Map<LockKey, Long> waiting = uses.stream()
                .filter(use -> !use.granted())
                .collect(Collectors.groupingBy(LockUse::key, Collectors.counting()));
        for (LockUse use : uses) {
            Record row = inMemory.newRecord(columns);
            row.set(app, use.key().app().orElse(null));
            row.set(name, use.key().name());
            row.set(key, use.key().lockHash());
            row.set(mode, use.mode().name().toLowerCase(Locale.ROOT));
            row.set(granted, use.granted());
            row.set(pid, use.pid().isPresent() ? use.pid().getAsInt() : null);
            row.set(thread, use.thread());
            row.set(takenAt, use.takenAt());
            row.set(millis, use.since().toMillis());
            row.set(queued, waiting.getOrDefault(use.key(), 0L).intValue());
            // Formats mark what has changed.
            row.changed(false);
            table.add(row);
        }
        return table;
    }

    private static String line(AdvisoryWaitRecord row) {
        String session = "  ".repeat(row.getDepth()) + row.getPid() + orEmpty(" ", row.getApplicationName());
        return row.getBlockedBy() == null
                ? session + "\n"
                : session + " waits for " + nameOf(row) + " (" + row.getMode() + ")\n";
    }

    private static String nameOf(AdvisoryWaitRecord row) {
        return nameOf(row.getApp(), row.getName(), row.getLockKey(), row.getTool());
    }

    static String nameOf(AdvisoryLockRecord row) {
        return nameOf(row.getApp(), row.getName(), row.getLockKey(), row.getTool());
    }

    private static String nameOf(@Nullable String app, @Nullable String name, Long key, @Nullable String tool) {
        if (name != null) {
            return (app == null ? "" : app + ".") + name;
        }
        return "the key " + key + orEmpty(" of ", tool);
    }

    private static String orEmpty(String before, @Nullable String text) {
        return text == null || text.isEmpty() ? "" : before + text;
    }
}
