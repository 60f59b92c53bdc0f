package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Place;
import dev.pals.benchmarks.load.Keys;
import dev.pals.benchmarks.load.Load;
import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.ClassPathResource;
import org.springframework.jdbc.datasource.init.ScriptUtils;

/** The servers of one run, with the tables that contenders need, and an observer of PostgreSQL. */
public final class Arena implements AutoCloseable {
    /** For the observer, the server's own, and what a contender opens besides. */
    private static final int CONNECTIONS_TO_SPARE = 20;

    private static final String TABLES = """
            create table shedlock (
              name varchar(64) not null primary key,
              lock_until timestamp not null,
              locked_at timestamp not null,
              locked_by varchar(255) not null);
            create table account (id int primary key, balance bigint not null) with (fillfactor = 50);
            insert into account select id, 0 from generate_series(0, %d) id;
            """.formatted(Keys.ACCOUNTS - 1);

    /** A backend whose client was killed lives until it notices. */
    private static final String END_OTHERS = """
            select pg_terminate_backend(pid, 10000) from pg_stat_activity
            where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
            """;

    private final PostgresServer server;
    private final ScratchDatabase database;
    private final @Nullable RedisServer redis;
    private final Connection connection;
    private final Observer observer;
    private final int connectionLimit;
    private final Counters counters;

    private Arena(
            PostgresServer server,
            ScratchDatabase database,
            @Nullable RedisServer redis,
            Connection connection,
            Observer observer,
            int connectionLimit,
            Counters counters) {
        this.server = server;
        this.database = database;
        this.redis = redis;
        this.connection = connection;
        this.observer = observer;
        this.connectionLimit = connectionLimit;
        this.counters = counters;
    }

    /**
     * Starts what is needed; PostgreSQL is the one that {@code PALS_DB_URL} names, if it names one.
     *
     * @param durable whether an embedded one writes commits to disk at once, as PostgreSQL does by default
     */
    public static Arena open(boolean durable) throws IOException, InterruptedException, SQLException {
        Map<String, String> settings = new HashMap<>();
        settings.put("shared_preload_libraries", Observer.STATEMENTS);
        if (durable) {
            List.of("fsync", "full_page_writes", "synchronous_commit").forEach(setting -> settings.put(setting, "on"));
        }
        PostgresServer server = PostgresServer.start(settings);
        ScratchDatabase database = server.newDatabase();
        RedisServer redis = RedisServer.start().orElse(null);
        Connection connection = DriverManager.getConnection(database.url());
        ScriptUtils.executeSqlScript(
                connection, new ClassPathResource("org/springframework/integration/jdbc/schema-postgresql.sql"));
        int limit;
        try (Statement statement = connection.createStatement()) {
            statement.execute(TABLES);
            try (ResultSet row = statement.executeQuery("select current_setting('max_connections')::int")) {
                row.next();
                limit = row.getInt(1) - CONNECTIONS_TO_SPARE;
            }
        }
        Observer observer = Observer.on(connection, redis);
        return new Arena(server, database, redis, connection, observer, limit, Counters.create());
    }

    Observer observer() {
        return observer;
    }

    /** How many connections contenders may use. */
    public int connectionLimit() {
        return connectionLimit;
    }

    /** Where sections are counted. */
    public Counters counters() {
        return counters;
    }

    public String url() {
        return database.url();
    }

    /** Where a contender locks. */
    public Place place(int held) {
        return new Place(database.url(), redis == null ? null : redis.address(), held);
    }

    /** Why a contender has no part in a load here, or empty. */
    public String refusal(Contestant contestant, Load load) {
        if (contestant.needsRedis() && redis == null) {
            return "redis-server is not installed";
        }
        if (load.virtual() && VirtualThreads.jdk().isEmpty()) {
            return "virtual threads need a JDK 21 or newer";
        }
        return load.refusal(contestant, connectionLimit);
    }

    /** PostgreSQL's version, and whether it writes commits at once. */
    public String serverSettings() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        select current_setting('server_version'), current_setting('fsync'),
                          current_setting('synchronous_commit'), current_setting('max_connections'),
                          current_setting('shared_buffers')
                        """)) {
            row.next();
            return "PostgreSQL " + row.getString(1) + ", fsync " + row.getString(2) + ", synchronous_commit "
                    + row.getString(3) + ", max_connections " + row.getString(4) + ", shared_buffers "
                    + row.getString(5);
        }
    }

    /**
     * Removes what the contender before has left: connections with their locks, if it failed, rows, and keys of Redis.
     */
    public void clean() throws SQLException, IOException {
        try (Statement statement = connection.createStatement()) {
            statement.executeQuery(END_OTHERS).close();
            statement.execute("truncate shedlock, int_lock");
        }
        if (redis != null) {
            redis.flush();
        }
    }

    @Override
    public void close() throws IOException, InterruptedException, SQLException {
        counters.close();
        connection.close();
        if (redis != null) {
            redis.close();
        }
        database.close();
        server.close();
    }
}
