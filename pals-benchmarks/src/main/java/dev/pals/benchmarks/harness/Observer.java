package dev.pals.benchmarks.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Looks at the servers from outside: connections, processor time, statements. */
final class Observer {
    /** PostgreSQL's extension that counts them. It counts only in rounds whose rates are not used. */
    static final String STATEMENTS = "pg_stat_statements";

    private final Connection connection;
    private final @Nullable RedisServer redis;
    private final boolean counts;

    private Observer(Connection connection, @Nullable RedisServer redis, boolean counts) {
        this.connection = connection;
        this.redis = redis;
        this.counts = counts;
    }

    static Observer on(Connection connection, @Nullable RedisServer redis) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            // Others may not even ask what is loaded.
            boolean counts = isTrue(statement, "select rolsuper from pg_roles where rolname = current_user")
                    && isTrue(
                            statement,
                            "select current_setting('shared_preload_libraries') like '%" + STATEMENTS + "%'");
            if (counts) {
                statement.execute("create extension " + STATEMENTS);
                statement.execute("set pg_stat_statements.track = 'none'");
            }
            Observer observer = new Observer(connection, redis, counts);
            observer.countStatements(false);
            return observer;
        }
    }

    private static boolean isTrue(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() && row.getBoolean(1);
        }
    }

    /** Whether statements can be counted here. */
    boolean counts() {
        return counts;
    }

    /** Switches the counting on or off for the sessions that begin from now on. */
    void countStatements(boolean on) throws SQLException {
        if (counts) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("do $$ begin execute format('alter database %I set pg_stat_statements.track = ''"
                        + (on ? "top" : "none") + "''', current_database()); end $$");
                statement.execute("select pg_stat_statements_reset()");
            }
        }
    }

    /** How many were counted since the counting was switched on. */
    long statements() throws SQLException {
        return ask("select coalesce(sum(calls), 0) from pg_stat_statements"
                + " where dbid = (select oid from pg_database where datname = current_database())");
    }

    /** Connections of others to this database, and to Redis. */
    long connections() throws SQLException, IOException {
        return (redis == null ? 0 : redis.connections())
                + ask("select count(*) from pg_stat_activity where datname = current_database()"
                        + " and backend_type = 'client backend' and pid <> pg_backend_pid()");
    }

    private long ask(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    /** Processor time so far of each server process that works for others; empty where they are not on this machine. */
    Map<Long, Double> processorNanos() throws SQLException, IOException {
        Map<Long, Double> nanos = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select pid from pg_stat_activity"
                        + " where datname = current_database() and pid <> pg_backend_pid()")) {
            while (rows.next()) {
                add(rows.getLong(1), "postgres", nanos);
            }
        }
        if (redis != null) {
            add(redis.pid(), "redis", nanos);
        }
        return nanos;
    }

    private static void add(long pid, String program, Map<Long, Double> nanos) throws IOException {
        try {
            Path process = Path.of("/proc", Long.toString(pid));
            if (Files.readString(process.resolve("comm")).startsWith(program)) {
                // Its first field is exact; those of "stat" count ticks of 10 ms, in which a short turn is lost.
                String[] fields = Files.readString(process.resolve("schedstat")).split(" ", -1);
                nanos.put(pid, Double.parseDouble(fields[0]));
            }
        } catch (NoSuchFileException e) {
            // Another machine's, or it has ended meanwhile.
            nanos.remove(pid);
        }
    }

    /** What processes have used since then; those that were not there before have begun at zero. */
    static double since(Map<Long, Double> before, Map<Long, Double> after) {
        return after.entrySet().stream()
                .mapToDouble(each -> each.getValue() - before.getOrDefault(each.getKey(), 0.0))
                .sum();
    }
}
