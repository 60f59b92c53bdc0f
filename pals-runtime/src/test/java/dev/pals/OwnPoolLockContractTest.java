package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pals.lock.LockHandle;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** A locker with a HikariCP pool of its own. */
final class OwnPoolLockContractTest extends LockContract {
    OwnPoolLockContractTest(TestDatabase database) {
        super(database);
    }

    @Override
    LockerBuilder connected(LockerBuilder builder, String url) {
        return builder.url(url);
    }

    @Test
    void create_url_isReadyToUse() {
        try (Locker locker = Locker.create(APP, database.url());
                LockHandle handle = locker.exclusive(locker.key("created")).acquire()) {
            assertThat(database.isHeld(handle.keys().get(0))).isTrue();
        }
    }

    @Test
    void handle_shown_saysWhereItWasTaken() {
        Locker locker = locker();
        try (LockHandle handle = locker.exclusive(locker.key("shown")).acquire()) {
            assertThat(handle).asString().contains("OwnPoolLockContractTest.handle_shown_saysWhereItWasTaken");
        }
    }

    @Test
    void locker_closed_closesItsPool() throws SQLException {
        try (Locker locker =
                Locker.builder("pool-of-its-own").url(database.url()).build()) {
            assertThat(sessionsOf("pool-of-its-own")).isPositive();
            locker.exclusive(locker.key("used")).acquire().close();
        }
        await().atMost(TestDatabase.PATIENCE).until(() -> sessionsOf("pool-of-its-own") == 0);
    }

    private int sessionsOf(String applicationName) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(
                        "select count(*) from pg_stat_activity where application_name = '" + applicationName + "'")) {
            result.next();
            return result.getInt(1);
        }
    }
}
