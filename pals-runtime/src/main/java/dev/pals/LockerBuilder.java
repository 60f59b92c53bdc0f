package dev.pals;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool.PoolInitializationException;
import dev.pals.diagnostics.ServerProbe;
import dev.pals.diagnostics.ServerProbe.Findings;
import dev.pals.internal.gate.Events;
import dev.pals.internal.gate.Gates;
import dev.pals.internal.gate.HeldLock;
import dev.pals.internal.registry.NameRegistry;
import dev.pals.internal.session.Connections;
import dev.pals.internal.session.SessionSettings;
import dev.pals.internal.session.Sessions;
import dev.pals.internal.session.Ticker;
import dev.pals.internal.sql.AdvisoryLockSql;
import dev.pals.internal.sql.SqlState;
import dev.pals.key.LockKey;
import dev.pals.lock.FencingUnavailableException;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockListener;
import dev.pals.lock.SessionUnavailableException;
import dev.pals.lock.WaitPolicy;
import java.lang.ref.Cleaner;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.URLCoder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The settings of a {@link Locker}. Not thread-safe. */
public final class LockerBuilder {
    private static final Logger LOG = LoggerFactory.getLogger(LockerBuilder.class);
    private static final int DEFAULT_SESSIONS = 2;
    private static final int DEFAULT_MAX_SESSIONS = 10;
    /** Not JDBC's form: the driver would take the password for a part of the host, and say so in its errors. */
    private static final String USER_BEFORE_HOST = "(?s)jdbc:postgresql://[^?]*@.*";

    /** The driver is given it beside the URL, which it logs, and most of all where something is wrong with it. */
    private static final Pattern PASSWORD = Pattern.compile("(?<=[?&])password=([^&]*)&?");

    /** How long a request may take to connect where the server does not answer. */
    private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);

    private static final int LONGEST_APPLICATION_NAME = 63;

    private static final Duration DEFAULT_WAIT = Duration.ofSeconds(30);
    private static final Duration DEFAULT_ORPHAN_TIME = Duration.ofSeconds(30);
    /** PostgreSQL's idle_session_timeout is of milliseconds in 32 bits. */
    private static final Duration LONGEST_TIME = Duration.ofDays(20);

    private final String app;
    private @Nullable String url;
    private @Nullable DataSource dataSource;
    private int sessions = DEFAULT_SESSIONS;
    private int maxSessions = DEFAULT_MAX_SESSIONS;
    private @Nullable Integer lockBudget;
    private WaitPolicy wait = WaitPolicy.atMost(DEFAULT_WAIT);
    private @Nullable Duration lease;
    private Duration orphanTime = DEFAULT_ORPHAN_TIME;
    private boolean fenced;
    private boolean probed = true;
    private Ticker ticker = Ticker.SYSTEM;
    private final List<LockListener> listeners = new ArrayList<>();

    LockerBuilder(String app) {
        // Checks the name as keys do, before any other setting is made.
        this.app = LockKey.of(app, "any").app().orElseThrow();
    }

    static String named(String app) {
        return "Locker \"" + app + "\"";
    }

    /**
     * The database, on which the locker opens a HikariCP pool of its own. Where the server does not answer, a request
     * fails after 5 seconds, whatever its wait.
     *
     * @param jdbcUrl such as {@code jdbc:postgresql://host/db?user=app&password=secret}
     * @throws IllegalArgumentException if PostgreSQL's JDBC driver does not accept it
     */
    public LockerBuilder url(String jdbcUrl) {
        if (jdbcUrl == null || !isAccepted(jdbcUrl)) {
            String shown = jdbcUrl == null ? "null" : "(not shown, it may hold a password)";
            throw new IllegalArgumentException(
                    "The URL " + shown
                            + " is no JDBC URL of PostgreSQL. Write jdbc:postgresql://host:port/database?user=...&password=...");
        }
        url = jdbcUrl;
        return this;
    }

    private static boolean isAccepted(String jdbcUrl) {
        try {
            var unused = passwordOf(jdbcUrl);
            return jdbcUrl.startsWith("jdbc:postgresql:")
                    && !jdbcUrl.matches(USER_BEFORE_HOST)
                    && DriverManager.getDriver(withoutPassword(jdbcUrl)) != null;
        } catch (SQLException | IllegalArgumentException e) {
            // Their ways to say that no driver accepts the URL, and that the password has a % that is no escape.
            return false;
        }
    }

    private static String withoutPassword(String jdbcUrl) {
        return PASSWORD.matcher(jdbcUrl).replaceAll("");
    }

    /** As the driver reads it: the last one counts. */
    private static @Nullable String passwordOf(String jdbcUrl) {
        return PASSWORD.matcher(jdbcUrl)
                .results()
                .map(found -> URLCoder.decode(found.group(1)))
                .reduce((one, next) -> next)
                .orElse(null);
    }

    /**
     * The connections to use. The locker borrows them with autocommit on or off, sets it on, and gives them back as
     * they were. Where it has none to spare, a request blocks for the data source's own connection timeout, whatever
     * its wait: give it a short one, or keep it at least as large as {@link #maxSessions(int)}. No connection may hold
     * an advisory lock when it is borrowed: PostgreSQL would grant it a second time, to the same session.
     */
    public LockerBuilder dataSource(DataSource dataSource) {
        this.dataSource = Objects.requireNonNull(dataSource, "dataSource");
        return this;
    }

    /**
     * How many PostgreSQL sessions all requests share, 2 by default. A session takes any number of locks, and commands
     * that come at the same time travel together, so few sessions do much; with more of them, a connection that dies
     * takes fewer locks with it, and commands of many threads go in parallel. There are more, up to
     * {@link #maxSessions}, when each holds some hundred locks, and while requests wait in PostgreSQL's queue. Where
     * {@link #maxSessions} is greater than 1, one of those is kept for such waits: at most the others are shared.
     *
     * @throws IllegalArgumentException if it is not from 1 to 10,000
     */
    public LockerBuilder sessions(int sessions) {
        this.sessions = checkedCount("sessions", sessions);
        return this;
    }

    /**
     * The most connections to use at a time, 10 by default. It should not exceed the size of a data source of yours.
     * Where there is none to spare for a wait in PostgreSQL's queue, the request tries again and again instead; so with
     * one connection only, it may never get a lock for which several other programs wait all the time.
     *
     * @throws IllegalArgumentException if it is not from 1 to 10,000
     */
    public LockerBuilder maxSessions(int maxSessions) {
        this.maxSessions = checkedCount("maxSessions", maxSessions);
        return this;
    }

    /**
     * The most locks to hold at a time, by default a quarter of those that the server has room for
     * ({@code max_locks_per_transaction * (max_connections + max_prepared_transactions)}): where that room is used up,
     * every session of the server fails, so a locker that would hold more throws a
     * {@link dev.pals.lock.LockBudgetException} instead.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    public LockerBuilder lockBudget(int locks) {
        if (locks < 1) {
            throw new IllegalArgumentException("lockBudget(" + locks + "): give a number of at least 1.");
        }
        lockBudget = locks;
        return this;
    }

    private static int checkedCount(String setting, int count) {
        if (count < 1 || count > 10_000) {
            throw new IllegalArgumentException(setting + "(" + count + "): give a number from 1 to 10000.");
        }
        return count;
    }

    /**
     * Gives locks an expiry: where this program hangs, so that PostgreSQL hears nothing from it for this long, it ends
     * the sessions, which frees their locks; {@link dev.pals.lock.LockHandle#isHeld()} turns false before that. While
     * the program runs, its locks are held for as long as it wants: their sessions give a sign of life four times a
     * second. Without a lease, which is the default, the locks of a program that hangs are held until it ends. What
     * guards against a program that wakes up again and writes on are {@linkplain #fencingTokens() fencing tokens}.
     *
     * @param lease from 1 second to 20 days, precise to a millisecond; longer than any pause of a program that is well,
     *     such as for the collection of garbage
     * @throws IllegalArgumentException if it is not within this range
     * @see <a
     *     href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-SESSION-TIMEOUT">idle_session_timeout</a>
     */
    public LockerBuilder lease(Duration lease) {
        this.lease = checkedTime("lease", lease, Duration.ofSeconds(1));
        return this;
    }

    /**
     * Within how long each end notices that the other has vanished without a word, 30 seconds by default: a machine
     * that lost its power, or packets that are silently dropped. PostgreSQL then ends the session and frees its locks;
     * this program takes them for lost. It sets TCP's keepalives and user timeout and the check of the client's
     * connection for each session, and the time in which the driver expects an answer: so an answer that takes half of
     * this time ends the session too.
     *
     * @param orphanTime from 2 seconds to 20 days; keepalives are precise to a second
     * @throws IllegalArgumentException if it is not within this range
     * @see <a href="https://www.postgresql.org/docs/current/runtime-config-connection.html#RUNTIME-CONFIG-TCP">TCP
     *     settings</a>
     */
    public LockerBuilder orphanTime(Duration orphanTime) {
        this.orphanTime = checkedTime("orphanTime", orphanTime, Duration.ofSeconds(2));
        return this;
    }

    private static Duration checkedTime(String setting, Duration time, Duration least) {
        Objects.requireNonNull(time, setting);
        if (time.compareTo(least) < 0 || time.compareTo(LONGEST_TIME) > 0) {
            throw new IllegalArgumentException(
                    setting + "(" + time + "): give a duration from " + least + " to " + LONGEST_TIME + ".");
        }
        return time;
    }

    /**
     * Has exclusive locks come with {@linkplain dev.pals.lock.LockHandle#fencingToken() fencing tokens}, in the same
     * round trip. Needs schema {@code pals}, and the role's right to use the sequence {@code pals.fencing_token}.
     */
    public LockerBuilder fencingTokens() {
        fenced = true;
        return this;
    }

    /**
     * Trusts the server without a look: otherwise a locker tries, when it is opened, whether its locks exclude, and
     * refuses a pooler in transaction or statement mode, a standby, a server that is too old, and one whose locks
     * exclude nobody. A warning is logged.
     *
     * @see dev.pals.diagnostics.ServerProbe
     */
    public LockerBuilder withoutServerProbe() {
        probed = false;
        return this;
    }

    /**
     * Tells a listener what becomes of requests and locks; may be called for several. Without one, which is the
     * default, it costs nothing.
     *
     * @see dev.pals.lock.LockLog
     * @see dev.pals.lock.LockFlightRecorder
     */
    public LockerBuilder listener(LockListener listener) {
        listeners.add(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /** For tests of hours. */
    LockerBuilder ticker(Ticker ticker) {
        this.ticker = ticker;
        return this;
    }

    /**
     * How long {@link LockRequest#acquire()} waits where the request does not say, 30 seconds by default.
     *
     * @throws dev.pals.lock.InvalidWaitException if it is null or negative
     */
    public LockerBuilder waitAtMost(Duration limit) {
        return waiting(WaitPolicy.atMost(limit));
    }

    /**
     * How {@link LockRequest#acquire()} waits where the request does not say: in PostgreSQL's queue for 30 seconds by
     * default.
     */
    public LockerBuilder waiting(WaitPolicy policy) {
        wait = Objects.requireNonNull(policy, "policy");
        return this;
    }

    /**
     * Opens the locker: connects twice for a moment, to try whether locks exclude (three round trips), and enters the
     * names of the lock keys that generated catalogs on the class path declare into {@code pals.lock_name}, where that
     * table is installed.
     *
     * @throws IllegalStateException unless exactly one of {@link #url} and {@link #dataSource} was called
     * @throws dev.pals.lock.UnsafeServerException if locks would not exclude through these connections
     * @throws LockDatabaseException if PostgreSQL refuses the connection
     * @throws FencingUnavailableException if {@link #fencingTokens()} was called and the database has none
     * @throws dev.pals.lock.SessionUnavailableException if the data source has no connection to spare
     */
    public Locker build() {
        String name = named(app);
        if ((url == null) == (dataSource == null)) {
            throw new IllegalStateException(
                    name + " needs a database: call url(...) or dataSource(...), one of the two.");
        }
        Connections connections = url == null
                ? new Connections(name, Objects.requireNonNull(dataSource), false, maxSessions)
                : new Connections(name, ownPool(name, url), true, maxSessions);
        try {
            int budget = connections.call(connection -> {
                int mayHold = probed ? probe(name, connections, connection) : budget(lockTableSize(name, connection));
                new NameRegistry(name).register(connection);
                if (fenced) {
                    checkFencing(name, connection);
                }
                return mayHold;
            });
            Cleaner cleaner = HeldLock.cleaner();
            SessionSettings settings = new SessionSettings(lease, orphanTime, fenced);
            Events events = new Events(app, listener());
            Sessions opened = new Sessions(connections, settings, ticker, sessions, budget);
            return new Locker(app, wait, new Gates(opened, events, cleaner));
        } catch (RuntimeException | Error e) {
            connections.close();
            throw e;
        }
    }

    private int budget(long lockTableSize) {
        return lockBudget != null ? lockBudget : (int) Math.min(Integer.MAX_VALUE, lockTableSize / 4);
    }

    /** Returns how many locks the locker may hold. */
    private int probe(String name, Connections connections, Connection first) {
        Findings findings;
        try {
            findings = connections.call(second -> probe(name, first, second));
        } catch (SessionUnavailableException e) {
            // One connection is enough for locks without waits.
            findings = probe(name, first, null);
        } catch (LockDatabaseException e) {
            if (!SqlState.TOO_MANY_CONNECTIONS.isCauseOf(e)) {
                throw e;
            }
            findings = probe(name, first, null);
        }
        int budget = budget(findings.lockTableSize());
        findings.warnings(maxSessions, budget).forEach(warning -> LOG.warn("{}: {}.", name, warning));
        return budget;
    }

    private static Findings probe(String name, Connection first, @Nullable Connection second) {
        try {
            return new ServerProbe(name).probe(first, second);
        } catch (SQLException | DataAccessException e) {
            throw Connections.refused(name, e);
        }
    }

    private @Nullable LockListener listener() {
        return listeners.isEmpty() ? null : LockListener.all(listeners.toArray(LockListener[]::new));
    }

    private static void checkFencing(String name, Connection connection) {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(AdvisoryLockSql.FENCING_IS_INSTALLED)) {
            result.next();
            if (!result.getBoolean(1)) {
                throw new FencingUnavailableException(name);
            }
        } catch (SQLException e) {
            // So says PostgreSQL where the role may not look into the schema.
            if (SqlState.INSUFFICIENT_PRIVILEGE.matches(e)) {
                throw new FencingUnavailableException(name);
            }
            throw Connections.refused(name, e);
        }
    }

    private static long lockTableSize(String name, Connection connection) {
        LOG.warn("{}: the server is not probed, so nothing tells whether its locks exclude.", name);
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(AdvisoryLockSql.LOCK_TABLE_SIZE)) {
            result.next();
            return result.getLong(1);
        } catch (SQLException e) {
            throw Connections.refused(name, e);
        }
    }

    /** Not longer than what PostgreSQL keeps of it: the message that a connection begins with has room for little. */
    private String applicationName() {
        return app.codePoints()
                .limit(LONGEST_APPLICATION_NAME)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private HikariDataSource ownPool(String name, String jdbcUrl) {
        HikariConfig config = new HikariConfig();
        config.setPoolName(name);
        config.setJdbcUrl(withoutPassword(jdbcUrl));
        config.setPassword(passwordOf(jdbcUrl));
        config.setMaximumPoolSize(maxSessions);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(CONNECT_WITHIN.toMillis());
        config.addDataSourceProperty("tcpKeepAlive", "true");
        // Shown in pg_stat_activity and the audit view; an ApplicationName in the URL comes first.
        config.addDataSourceProperty("ApplicationName", applicationName());
        // From this one on the name can be given when connecting. Else the driver puts it into an SQL text.
        config.addDataSourceProperty("assumeMinServerVersion", "9.0");
        try {
            return new HikariDataSource(config);
        } catch (PoolInitializationException e) {
            throw Connections.refused(name, e);
        }
    }
}
