package dev.pals.diagnostics;

import dev.pals.db.PalsSchema;
import dev.pals.db.jooq.pals.tables.records.AdvisoryLockRecord;
import dev.pals.diagnostics.Diagnosis.Finding;
import dev.pals.diagnostics.Diagnosis.Level;
import dev.pals.internal.sql.DoctorSql;
import dev.pals.internal.sql.SqlState;
import dev.pals.lock.LockUse;
import dev.pals.lock.UnsafeServerException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.Result;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/**
 * Looks at everything that matters to locks, for a support ticket: the server and what stands before it, its limits and
 * how full its lock table is, the schema and the rights of the role, who holds for long, who waits for long, and whose
 * client has not been heard of.
 *
 * <pre>{@code
 * System.out.println(Doctor.examine(dataSource, locker.uses()));
 * }</pre>
 *
 * <p>It takes one lock of its own for a moment, to try whether locks exclude, and reads; it changes nothing. What fails
 * becomes a finding, so that the rest is still told. Some 25 round trips, and 40 more through a pooler. Thread-safe.
 */
public final class Doctor {
    /** Lockers' waits in PostgreSQL's queue take up to 10 seconds, and go on in another. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final int SHOWN = 50;

    private final DataSource dataSource;
    private final Connection connection;
    private final List<LockUse> uses;
    private final Duration patience;
    private final DSLContext dsl;
    private final List<Finding> findings;
    private final StringBuilder appendix;
    private OffsetDateTime now = OffsetDateTime.now(ZoneOffset.UTC);

    private Doctor(
            DataSource dataSource,
            Connection connection,
            List<LockUse> uses,
            Duration patience,
            List<Finding> findings,
            StringBuilder appendix) {
        this.dataSource = dataSource;
        this.connection = connection;
        this.uses = uses;
        this.patience = patience;
        this.dsl = DSL.using(connection, SQLDialect.POSTGRES);
        this.findings = findings;
        this.appendix = appendix;
    }

    /** As {@link #examine(DataSource, List)}, where no locker could be opened. */
    public static Diagnosis examine(DataSource dataSource) {
        return examine(dataSource, List.of());
    }

    /** As {@link #examine(DataSource, List, Duration)}, for what takes longer than 5 seconds. */
    public static Diagnosis examine(DataSource dataSource, List<LockUse> uses) {
        return examine(dataSource, uses, PATIENCE);
    }

    /**
     * Looks at the database, and at what only this program knows.
     *
     * @param dataSource that of the locker, or another one for the same role and the same way to the server. It is
     *     asked for two connections at a time; a pool of one is to give up on the second within a time, as pools do by
     *     default
     * @param uses from {@code locker.uses()}
     * @param patience who holds, waits or is silent for longer than this is listed; at least a second, since lockers
     *     make themselves heard four times in it
     */
    public static Diagnosis examine(DataSource dataSource, List<LockUse> uses, Duration patience) {
        List<Finding> findings = new ArrayList<>();
        StringBuilder appendix = new StringBuilder();
        try (Connection connection = dataSource.getConnection()) {
            boolean autoCommit = connection.getAutoCommit();
            connection.setAutoCommit(true);
            new Doctor(dataSource, connection, List.copyOf(uses), patience, findings, appendix).examine();
            connection.setAutoCommit(autoCommit);
        } catch (SQLException e) {
            String what = findings.isEmpty()
                    ? "PostgreSQL refused a connection (" + describe(e)
                            + "). Check host, port, database and credentials, and that the server is up"
                    : "it ended meanwhile (" + describe(e) + ")";
            findings.add(new Finding(Level.ERROR, "connection", what));
        }
        return new Diagnosis(findings, appendix.toString());
    }

    private void examine() {
        look("server", this::server);
        look("exclusion", this::exclusion);
        look("connections", this::connections);
        look("lock table", this::lockTable);
        look("schema", this::schema);
        look("names", this::names);
        look("locks", this::locks);
        here();
    }

    private interface Look {
        void at() throws SQLException;
    }

    private void look(String subject, Look look) {
        try {
            look.at();
        } catch (DataAccessException e) {
            boolean missing = SqlState.anyOf(
                    e.sqlState(), SqlState.UNDEFINED_TABLE, SqlState.INVALID_SCHEMA_NAME, SqlState.UNDEFINED_COLUMN);
            String why = missing ? "schema pals is not installed, or older than this version" : describe(e);
            add(Level.WARNING, subject, "not known: " + why);
        } catch (SQLException e) {
            add(Level.ERROR, subject, "not known: " + describe(e));
        } catch (RuntimeException e) {
            // Of a data source or a driver; the rest is to be told all the same.
            add(Level.ERROR, subject, "not known: " + e);
        }
    }

    private static String describe(SQLException e) {
        return "SQLSTATE " + e.getSQLState() + ", " + e.getMessage();
    }

    private static String describe(DataAccessException e) {
        SQLException cause = e.getCause(SQLException.class);
        return cause == null ? String.valueOf(e.getMessage()) : describe(cause);
    }

    private void add(Level level, String subject, String text) {
        findings.add(new Finding(level, subject, text));
    }

    private void server() throws SQLException {
        Record server = DoctorSql.server(dsl);
        now = server.get(DoctorSql.NOW);
        add(
                Level.OK,
                "server",
                server.get(DoctorSql.VERSION) + ", up since " + inSeconds(server.get(DoctorSql.STARTED)) + ", now "
                        + inSeconds(now) + "; database " + server.get(DoctorSql.DATABASE) + ", role "
                        + server.get(DoctorSql.ROLE));
        add(Level.OK, "pooler", pooler(server.get(DoctorSql.PID)));
    }

    /** Whether it is one to be refused, the probe finds out. */
    private String pooler(int pid) throws SQLException {
        int known = ServerProbe.knownProcess(connection);
        if (known == ServerProbe.UNKNOWN) {
            return "not known: the connections do not lead to PostgreSQL's own driver";
        }
        return known == pid
                ? "none between the driver and the server"
                : "one between the driver, which was told of process " + known + ", and the server's process " + pid;
    }

    private static OffsetDateTime inSeconds(OffsetDateTime time) {
        return time.truncatedTo(ChronoUnit.SECONDS);
    }

    private void exclusion() throws SQLException {
        try (Connection second = another()) {
            ServerProbe.Findings probed = new ServerProbe("The doctor").probe(connection, second);
            probed.warnings().forEach(warning -> add(Level.WARNING, "exclusion", warning));
            if (probed.exclusionTried()) {
                add(Level.OK, "exclusion", "a lock that one session had was refused to another, and freed");
            }
        } catch (UnsafeServerException e) {
            add(Level.ERROR, "exclusion", Objects.requireNonNull(e.getMessage()));
        }
    }

    /** Null where there is none, which the probe says. */
    private @Nullable Connection another() {
        try {
            return dataSource.getConnection();
        } catch (SQLException e) {
            return null;
        }
    }

    private void connections() {
        Record limits = DoctorSql.connections(dsl);
        long used = limits.get(DoctorSql.USED);
        long most = limits.get(DoctorSql.MOST);
        add(
                used * 10 > most * 9 ? Level.WARNING : Level.OK,
                "connections",
                used + " of " + most
                        + (used * 10 > most * 9 ? ": lower maxSessions(...), or enlarge max_connections" : ""));
    }

    private void lockTable() {
        Record table = DoctorSql.lockTable(dsl);
        long used = table.get(DoctorSql.USED);
        long most = table.get(DoctorSql.MOST);
        boolean full = used * 2 > most;
        add(
                full ? Level.WARNING : Level.OK,
                "lock table",
                used + " of " + most + " places taken, " + table.get(DoctorSql.ADVISORY)
                        + " of them by advisory locks of all databases"
                        + (full
                                ? ": where it is full, every session of the server fails. Enlarge max_locks_per_transaction, lower lockBudget(...), or find who takes so many in pals.advisory_lock"
                                : ""));
    }

    private void schema() {
        List<String> columns = DoctorSql.missingColumns(dsl);
        if (!columns.isEmpty()) {
            add(
                    Level.WARNING,
                    "schema",
                    "pals is not installed, or older than version " + PalsSchema.VERSION + " (missing: "
                            + columns.get(0) + (columns.size() > 1 ? " and " + (columns.size() - 1) + " more" : "")
                            + "): PalsSchema.migrate(dataSource) brings it up. Locks work without, unnamed");
            return;
        }
        String version = DoctorSql.schemaVersion(dsl);
        boolean other = version != null && !version.equals(PalsSchema.VERSION);
        add(
                other ? Level.WARNING : Level.OK,
                "schema",
                version == null
                        ? "pals is there, of a version that this role may not read"
                        : "pals is of version " + version + ", and this library of " + PalsSchema.VERSION
                                + (other
                                        ? ": PalsSchema.migrate(dataSource) brings an older one up, and a newer one may"
                                                + " want a newer library"
                                        : ""));
        List<String> rights = DoctorSql.missingRights(dsl);
        add(
                rights.isEmpty() ? Level.OK : Level.WARNING,
                "rights",
                rights.isEmpty()
                        ? "this role has all that the library can use"
                        : "this role lacks " + String.join("; ", rights));
    }

    private void names() {
        List<String> names = DoctorSql.registeredNames(dsl);
        add(Level.OK, "names", names.isEmpty() ? "none is registered" : String.join(", ", names));
    }

    private void locks() {
        LockDiagnostics locks = LockDiagnostics.of(dsl);
        Result<AdvisoryLockRecord> held = locks.held();
        Result<AdvisoryLockRecord> waiting = locks.waiting();
        longHolders(held);
        longWaiters(waiting);
        orphans(held);
        appendix.append(String.format("%nHeld (%d):%n", held.size()))
                .append(held.format(SHOWN))
                .append(String.format("%n%nWaiting (%d):%n", waiting.size()))
                .append(LockDiagnostics.tree(locks.waitTree()));
    }

    private void longHolders(Result<AdvisoryLockRecord> locks) {
        List<String> holders = new ArrayList<>();
        for (AdvisoryLockRecord lock : locks) {
            Duration held = age(lock.getHeldAtLeastSince());
            @Nullable
            Duration transaction = lock.getTransactionAge() == null
                    ? null
                    : lock.getTransactionAge().toDuration();
            String holder = LockDiagnostics.nameOf(lock) + " by process " + lock.getPid();
            if (isLonger(held, patience)) {
                holders.add(holder + " for at least " + held);
            } else if (isLonger(transaction, patience)) {
                // It may have taken the lock a moment ago.
                holders.add(holder + " in a transaction that has been open for " + transaction);
            }
        }
        uses.stream()
                .filter(use -> use.granted() && isLonger(use.since(), patience))
                .forEach(use -> holders.add(describe(use)));
        // Which may be just what they are for.
        list(Level.OK, "long holders", "nobody is known to hold for longer than " + patience, holders);
        strangers(locks);
    }

    /** Lockers are heard of all the time, so that PostgreSQL cannot tell since when they hold. */
    private void strangers(Result<AdvisoryLockRecord> locks) {
        Set<Integer> own =
                uses.stream().flatMapToInt(use -> use.pid().stream()).boxed().collect(Collectors.toSet());
        long strangers = locks.stream()
                .filter(lock -> lock.getApp() != null && !own.contains(lock.getPid()))
                .filter(lock -> !isLonger(age(lock.getHeldAtLeastSince()), patience))
                .count();
        if (strangers > 0) {
            add(
                    Level.OK,
                    "long holders",
                    "for how long " + strangers
                            + " more of other programs are held, only their lockers know (locker.uses())");
        }
    }

    private void longWaiters(Result<AdvisoryLockRecord> locks) {
        List<String> waiters = new ArrayList<>();
        for (AdvisoryLockRecord lock : locks) {
            Duration waited = age(lock.getWaitingSince());
            if (isLonger(waited, patience)) {
                waiters.add(LockDiagnostics.nameOf(lock) + " by process " + lock.getPid() + " for " + waited
                        + ", behind " + Arrays.toString(lock.getBlockedBy()));
            }
        }
        uses.stream()
                .filter(use -> !use.granted() && isLonger(use.since(), patience))
                .forEach(use -> waiters.add(describe(use)));
        list(Level.WARNING, "long waiters", "nobody waits for longer than " + patience, waiters);
    }

    /** PostgreSQL does not know when it last heard of a client, but lockers make themselves heard. */
    private void orphans(Result<AdvisoryLockRecord> locks) {
        List<String> orphans = new ArrayList<>();
        for (AdvisoryLockRecord lock : locks) {
            Duration silent = age(lock.getHeldAtLeastSince());
            if (lock.getPid() == null) {
                orphans.add(LockDiagnostics.nameOf(lock)
                        + " by a prepared transaction: COMMIT PREPARED or ROLLBACK PREPARED ends it");
            } else if (lock.getApp() != null && "session".equals(lock.getScope()) && isLonger(silent, patience)) {
                orphans.add(
                        LockDiagnostics.nameOf(lock) + " by process " + lock.getPid() + " of "
                                + lock.getApplicationName() + ", silent for " + silent
                                + ": a locker would have been heard of. Its program hangs or is out of reach, or takes the lock without one");
            }
        }
        list(Level.WARNING, "orphans", "no holder is known to be silent", orphans);
    }

    private @Nullable Duration age(@Nullable OffsetDateTime since) {
        return since == null ? null : Duration.between(since, now).truncatedTo(ChronoUnit.SECONDS);
    }

    private static boolean isLonger(@Nullable Duration time, Duration than) {
        return time != null && time.compareTo(than) > 0;
    }

    private static String describe(LockUse use) {
        return use.key() + " by " + use.thread() + " of this program for "
                + use.since().truncatedTo(ChronoUnit.SECONDS) + ", asked at " + use.takenAt();
    }

    private void list(Level level, String subject, String none, List<String> all) {
        if (all.isEmpty()) {
            add(Level.OK, subject, none);
        }
        all.stream().limit(SHOWN).forEach(text -> add(level, subject, text));
        if (all.size() > SHOWN) {
            add(level, subject, "and " + (all.size() - SHOWN) + " more");
        }
    }

    private void here() {
        if (!uses.isEmpty()) {
            appendix.append(String.format("%nIn this program (%d):%n", uses.size()))
                    .append(LockDiagnostics.inThisProgram(uses).format(SHOWN))
                    .append(String.format("%n"));
        }
    }
}
