package dev.pals.benchmarks.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What is seen of a real server from outside. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ObserverTest {
    private static final String ORDINARY = "pals_benchmarks_ordinary";

    private PostgresServer server;
    private ScratchDatabase database;

    @BeforeAll
    void open() throws Exception {
        server = PostgresServer.start(Map.of("shared_preload_libraries", Observer.STATEMENTS));
        database = server.newDatabase();
        execute("create role " + ORDINARY + " login password 'ordinary'");
    }

    @AfterAll
    void close() throws Exception {
        execute("drop role " + ORDINARY);
        database.close();
        server.close();
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(database.url());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private Connection ordinary() throws SQLException {
        String noUser = database.url().replaceAll("(user|password)=[^&]*&?", "");
        return DriverManager.getConnection(noUser, ORDINARY, "ordinary");
    }

    @Test
    void on_userIsOrdinary_countsNoStatementsButObservesTheRest() throws Exception {
        try (Connection own = ordinary();
                Connection other = ordinary()) {
            Observer observer = Observer.on(own, null);
            observer.countStatements(true);
            assertThat(observer.counts()).isFalse();
            assertThat(observer.connections()).isEqualTo(1);
            assertThat(observer.processorNanos()).hasSize(1);
            assertThat(other.isValid(1)).isTrue();
        }
    }

    @Test
    void processorNanos_someStatements_areSeenThoughTheyTakeLessThanATick() throws Exception {
        try (Connection own = DriverManager.getConnection(database.url());
                Connection other = DriverManager.getConnection(database.url());
                Statement statement = other.createStatement()) {
            Observer observer = Observer.on(own, null);
            statement.execute("select 1");
            Map<Long, Double> before = observer.processorNanos();
            statement.execute("select 1");
            assertThat(Observer.since(before, observer.processorNanos())).isPositive();
        }
    }
}
