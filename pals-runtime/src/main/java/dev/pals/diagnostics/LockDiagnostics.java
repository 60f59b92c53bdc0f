package dev.pals.diagnostics;

import static dev.pals.db.jooq.pals.Tables.ADVISORY_LOCK;
import static dev.pals.db.jooq.pals.Tables.ADVISORY_WAIT;

import dev.pals.db.jooq.pals.tables.records.AdvisoryLockRecord;
import dev.pals.db.jooq.pals.tables.records.AdvisoryWaitRecord;
import dev.pals.key.LockKey;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Result;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/**
 * Who holds and who waits in a database, by name, from the audit views of schema {@code pals}: of every program, and of
 * those that do not use PALs too. Each call is one round trip at that moment, which takes some 100 milliseconds where
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
        return dsl.selectFrom(ADVISORY_LOCK)
                .where(ADVISORY_LOCK.GRANTED)
                .orderBy(ADVISORY_LOCK.APP, ADVISORY_LOCK.NAME, ADVISORY_LOCK.LOCK_KEY, ADVISORY_LOCK.PID)
                .fetch();
    }

    /**
     * All that are waited for in PostgreSQL, the longest wait first. Who waits within a program for its own threads is
     * not among them.
     */
    public Result<AdvisoryLockRecord> waiting() {
        return dsl.selectFrom(ADVISORY_LOCK)
                .where(DSL.not(ADVISORY_LOCK.GRANTED))
                .orderBy(ADVISORY_LOCK.WAITING_SINCE, ADVISORY_LOCK.PID)
                .fetch();
    }

    /**
     * Who waits for whom, from each session that blocks others and waits for no advisory lock itself; every row stands
     * after the one that it waits for. A session that waits for several appears under each.
     */
    public Result<AdvisoryWaitRecord> waitTree() {
        return dsl.selectFrom(ADVISORY_WAIT).orderBy(ADVISORY_WAIT.PATH).fetch();
    }

    /**
     * The sessions that hold the lock of this key: none, one, or several that share it. A former name is another lock.
     */
    public Result<AdvisoryLockRecord> holdersOf(LockKey key) {
        return dsl.selectFrom(ADVISORY_LOCK)
                .where(ADVISORY_LOCK.GRANTED)
                .and(ADVISORY_LOCK.KEY_SPACE.eq("bigint"))
                .and(ADVISORY_LOCK.LOCK_KEY.eq(key.lockHash()))
                .orderBy(ADVISORY_LOCK.PID)
                .fetch();
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

    private static String line(AdvisoryWaitRecord row) {
        String session = "  ".repeat(row.getDepth()) + row.getPid() + orEmpty(" ", row.getApplicationName());
        return row.getBlockedBy() == null
                ? session + "\n"
                : session + " waits for " + nameOf(row) + " (" + row.getMode() + ")\n";
    }

    private static String nameOf(AdvisoryWaitRecord row) {
        if (row.getName() != null) {
            return (row.getApp() == null ? "" : row.getApp() + ".") + row.getName();
        }
        return "the key " + row.getLockKey() + orEmpty(" of ", row.getTool());
    }

    private static String orEmpty(String before, @Nullable String text) {
        return text == null || text.isEmpty() ? "" : before + text;
    }
}
