package dev.pals;

import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.db.PalsSchema;
import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.key.LockKey;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** One migrated database for all tests of this JVM, and a look at PostgreSQL's lock table from outside of PALs. */
final class TestDatabase implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final String ADVISORY_ROWS = """
            select pid, (classid::bigint << 32) | objid::bigint as key, mode, granted
            from pg_locks
            where locktype = 'advisory'
              and database = (select oid from pg_database where datname = current_database())
            order by key, granted desc, pid
            """;

    private final PostgresServer server;
    private final ScratchDatabase scratch;
    private final HikariDataSource observer;

    private TestDatabase() {
        server = PostgresServer.start();
        scratch = server.newDatabase();
        HikariConfig config = new HikariConfig();
        config.setPoolName("observer");
        config.setJdbcUrl(scratch.url());
        config.setMaximumPoolSize(8);
        config.setMinimumIdle(1);
        observer = new HikariDataSource(config);
        PalsSchema.migrate(observer);
    }

    record AdvisoryRow(int pid, long key, String mode, boolean granted) {}

    String url() {
        return scratch.url();
    }

    /** The URL with one more parameter, which is written as it is. */
    String urlWith(String parameter) {
        return urlWith(url(), parameter);
    }

    static String urlWith(String url, String parameter) {
        return url + (url.contains("?") ? "&" : "?") + parameter;
    }

    DataSource dataSource() {
        return observer;
    }

    /** A session of its own, without autocommit; the caller closes it. */
    Connection begin() throws SQLException {
        Connection connection = DriverManager.getConnection(url());
        connection.setAutoCommit(false);
        return connection;
    }

    /** A database without the schema; the caller closes it. */
    ScratchDatabase emptyDatabase() {
        return server.newDatabase();
    }

    /** Does the work in a database whose role may take locks and not unlock them; the URL is that role's. */
    void whereUnlockIsRefused(Consumer<String> work) {
        String role = "pals_no_unlock_" + ProcessHandle.current().pid();
        execute("create role " + role);
        try (ScratchDatabase restricted = server.newDatabase()) {
            execute(
                    restricted.url(),
                    "revoke execute on function pg_catalog.pg_advisory_unlock_all(), pg_catalog.pg_advisory_unlock(bigint)"
                            + " from public");
            work.accept(urlWith(restricted.url(), "options=-c%20role=" + role));
        } finally {
            execute("drop role " + role);
        }
    }

    List<AdvisoryRow> advisoryRows() {
        try (Connection connection = observer.getConnection()) {
            return advisoryRows(connection);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<AdvisoryRow> advisoryRows(Connection connection) throws SQLException {
        List<AdvisoryRow> rows = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(ADVISORY_ROWS);
                ResultSet result = statement.executeQuery()) {
            while (result.next()) {
                rows.add(new AdvisoryRow(
                        result.getInt("pid"),
                        result.getLong("key"),
                        result.getString("mode"),
                        result.getBoolean("granted")));
            }
        }
        return rows;
    }

    List<AdvisoryRow> rowsOf(LockKey key) {
        return advisoryRows().stream()
                .filter(row -> row.key() == key.lockHash())
                .toList();
    }

    boolean isHeld(LockKey key) {
        return rowsOf(key).stream().anyMatch(AdvisoryRow::granted);
    }

    void awaitWaiter(LockKey key) {
        atOnceOrLater().until(() -> rowsOf(key).stream().anyMatch(row -> !row.granted()));
    }

    void awaitNoAdvisoryRow() {
        atOnceOrLater().until(this::advisoryRows, List::isEmpty);
    }

    /** Awaitility would let 100 ms pass before its first look, which is most often the last. */
    private static ConditionFactory atOnceOrLater() {
        return await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(10))
                .atMost(PATIENCE);
    }

    /** Ends the session that holds the key, as an administrator would. */
    void terminateHolder(LockKey key) {
        int pid = rowsOf(key).stream()
                .filter(AdvisoryRow::granted)
                .findFirst()
                .orElseThrow()
                .pid();
        execute("select pg_terminate_backend(" + pid + ")");
        atOnceOrLater().until(() -> rowsOf(key).stream().noneMatch(row -> row.pid() == pid));
    }

    void execute(String sql) {
        execute(url(), sql);
    }

    private static void execute(String url, String sql) {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    @Override
    public void close() {
        observer.close();
        scratch.close();
        server.close();
    }

    /** Gives the one database to constructors and methods; it is closed with JUnit's root store, at the very end. */
    static final class Extension implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == TestDatabase.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return context.getRoot()
                    .getStore(Namespace.create(TestDatabase.class))
                    .getOrComputeIfAbsent(TestDatabase.class, type -> new TestDatabase(), TestDatabase.class);
        }
    }
}
