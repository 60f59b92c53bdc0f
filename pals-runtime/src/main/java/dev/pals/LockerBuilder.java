package dev.pals;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool.PoolInitializationException;
import dev.pals.internal.gate.Gates;
import dev.pals.internal.registry.NameRegistry;
import dev.pals.internal.session.Connections;
import dev.pals.internal.session.Sessions;
import dev.pals.internal.sql.AdvisoryLockSql;
import dev.pals.key.LockKey;
import dev.pals.lock.WaitPolicy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link Locker}. Not thread-safe. */
public final class LockerBuilder {
    private static final int DEFAULT_SESSIONS = 2;
    private static final int DEFAULT_MAX_SESSIONS = 10;
    /** Not JDBC's form: the driver would take the password for a part of the host, and say so in its errors. */
    private static final String USER_BEFORE_HOST = "(?s)jdbc:postgresql://[^/?]*@.*";

    /** How long a request may take to connect where the server does not answer. */
    private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);

    private static final Duration DEFAULT_WAIT = Duration.ofSeconds(30);

    private final String app;
    private @Nullable String url;
    private @Nullable DataSource dataSource;
    private int sessions = DEFAULT_SESSIONS;
    private int maxSessions = DEFAULT_MAX_SESSIONS;
    private @Nullable Integer lockBudget;
    private WaitPolicy wait = WaitPolicy.atMost(DEFAULT_WAIT);

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
            return jdbcUrl.startsWith("jdbc:postgresql:")
                    && !jdbcUrl.matches(USER_BEFORE_HOST)
                    && DriverManager.getDriver(jdbcUrl) != null;
        } catch (SQLException e) {
            // Its way to say that no driver accepts the URL.
            return false;
        }
    }

    /**
     * The connections to use. The locker borrows them with autocommit on or off, sets it on, and gives them back as
     * they were. Where it has none to spare, a request blocks for the data source's own connection timeout, whatever
     * its wait: give it a short one, or keep it at least as large as {@link #maxSessions(int)}.
     */
    public LockerBuilder dataSource(DataSource dataSource) {
        this.dataSource = Objects.requireNonNull(dataSource, "dataSource");
        return this;
    }

    /**
     * How many PostgreSQL sessions all requests share, 2 by default. A session takes any number of locks, and commands
     * that come at the same time travel together, so few sessions do much; with more of them, a connection that dies
     * takes fewer locks with it, and commands of many threads go in parallel. There are more, up to
     * {@link #maxSessions}, when each holds some hundred locks, and while requests wait in PostgreSQL's queue.
     *
     * @throws IllegalArgumentException if it is not from 1 to 10,000
     */
    public LockerBuilder sessions(int sessions) {
        this.sessions = checkedCount("sessions", sessions);
        return this;
    }

    /**
     * The most connections to use at a time, 10 by default. It should not exceed the size of a data source of yours.
     * Where there is none to spare for a wait in PostgreSQL's queue, the request tries again and again instead.
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
     * Opens the locker: connects once, and enters the names of the lock keys that generated catalogs on the class path
     * declare into {@code pals.lock_name}, where that table is installed.
     *
     * @throws IllegalStateException unless exactly one of {@link #url} and {@link #dataSource} was called
     * @throws dev.pals.lock.LockDatabaseException if PostgreSQL refuses the connection
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
            int serverHasRoomFor = connections.call(connection -> {
                new NameRegistry(name).register(connection);
                return lockTableSize(name, connection);
            });
            int budget = lockBudget == null ? serverHasRoomFor / 4 : lockBudget;
            return new Locker(app, wait, new Gates(new Sessions(connections, sessions, budget)));
        } catch (RuntimeException | Error e) {
            connections.close();
            throw e;
        }
    }

    private static int lockTableSize(String name, Connection connection) {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(AdvisoryLockSql.LOCK_TABLE_SIZE)) {
            result.next();
            return result.getInt(1);
        } catch (SQLException e) {
            throw Connections.refused(name, e);
        }
    }

    private HikariDataSource ownPool(String name, String jdbcUrl) {
        HikariConfig config = new HikariConfig();
        config.setPoolName(name);
        config.setJdbcUrl(jdbcUrl);
        config.setMaximumPoolSize(maxSessions);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(CONNECT_WITHIN.toMillis());
        config.addDataSourceProperty("tcpKeepAlive", "true");
        // Shown in pg_stat_activity and the audit view; an ApplicationName in the URL comes first.
        config.addDataSourceProperty("ApplicationName", app);
        try {
            return new HikariDataSource(config);
        } catch (PoolInitializationException e) {
            throw Connections.refused(name, e);
        }
    }
}
