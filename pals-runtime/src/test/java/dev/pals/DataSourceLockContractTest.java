package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockInterruptedException;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockTimeoutException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A locker on the application's data source, whose connections are set up as unhelpfully as applications do. */
final class DataSourceLockContractTest extends LockContract {
    private static final int POOL_SIZE = 10;

    private final List<HikariDataSource> dataSources = new ArrayList<>();

    DataSourceLockContractTest(TestDatabase database) {
        super(database);
    }

    @Override
    LockerBuilder connected(LockerBuilder builder, String url) {
        return builder.dataSource(hostileDataSource(url, POOL_SIZE));
    }

    private HikariDataSource hostileDataSource(String url, int size) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("application");
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(size);
        config.setConnectionTimeout(5_000);
        config.setMinimumIdle(0);
        config.setAutoCommit(false);
        config.setTransactionIsolation("TRANSACTION_SERIALIZABLE");
        config.setConnectionInitSql("set time zone 'Pacific/Chatham'; set search_path to ''");
        HikariDataSource dataSource = new HikariDataSource(config);
        dataSources.add(dataSource);
        return dataSource;
    }

    @AfterEach
    void closeDataSources() {
        closeLockers();
        dataSources.forEach(HikariDataSource::close);
    }

    @Test
    void create_dataSource_isReadyToUse() {
        HikariDataSource dataSource = hostileDataSource(database.url(), POOL_SIZE);
        try (Locker locker = Locker.create(APP, dataSource);
                LockHandle handle = locker.exclusive(locker.key("created")).acquire()) {
            assertThat(database.isHeld(handle.keys().get(0))).isTrue();
        }
    }

    @Test
    void locker_closed_leavesDataSourceOpenAndFree() throws SQLException {
        HikariDataSource dataSource = hostileDataSource(database.url(), POOL_SIZE);
        try (Locker locker = Locker.create(APP, dataSource)) {
            assertThat(locker.exclusive(locker.key("left-open")).tryAcquire()).isPresent();
        }
        assertThat(dataSource.isClosed()).isFalse();
        assertThat(dataSource.getHikariPoolMXBean().getActiveConnections()).isZero();
        try (Connection connection = dataSource.getConnection()) {
            assertThat(connection.isValid(5)).isTrue();
        }
    }

    @Test
    void connection_backInThePool_isAsItWasAndHoldsNoLock() throws SQLException {
        HikariDataSource dataSource = hostileDataSource(database.url(), 1);
        Locker locker =
                opened(Locker.builder(APP).dataSource(dataSource).sessions(1).maxSessions(1));
        LockKey free = locker.key("free");
        LockKey taken = locker.key("taken");
        try (LockHandle ignored = locker().exclusive(taken).acquire()) {
            locker.exclusive(free).acquire().close();
            assertReturned(dataSource);
            assertThatThrownBy(() -> locker.exclusive(free, taken).acquire(Duration.ofMillis(20)))
                    .isInstanceOf(LockTimeoutException.class);
            assertReturned(dataSource);
            assertThat(locker.shared(free, taken).tryAcquire()).isEmpty();
            assertReturned(dataSource);
        }
    }

    private static void assertReturned(HikariDataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            assertThat(connection.getAutoCommit()).isFalse();
            try (ResultSet result =
                    statement.executeQuery("select count(*), current_setting('lock_timeout') from pg_catalog.pg_locks"
                            + " where locktype = 'advisory' and pid = pg_catalog.pg_backend_pid()")) {
                result.next();
                assertThat(result.getInt(1)).isZero();
                assertThat(result.getString(2)).isEqualTo("0");
            }
        }
    }

    @Test
    void dataSource_wrapsHikariAndItsConnections_losesNoneWhenOneIsCut() {
        database.whereUnlockIsRefused(url -> {
            DataSource wrapper = TracedDataSource.of(hostileDataSource(url, 1), what -> {});
            try (Locker locker = Locker.builder(APP)
                    .dataSource(wrapper)
                    .withoutServerProbe()
                    .sessions(1)
                    .maxSessions(1)
                    .build()) {
                LockRequest request = locker.exclusive(locker.key("cut"));
                for (int i = 0; i < 3; i++) {
                    LockHandle handle = request.acquire();
                    assertThatThrownBy(handle::close).isInstanceOf(LockLostException.class);
                }
            }
        });
    }

    @Test
    void severalKeys_allFree_areTakenInOneRoundTrip() {
        Statements statements = new Statements();
        DataSource counting = statements.of(hostileDataSource(database.url(), 1));
        Locker locker =
                opened(Locker.builder(APP).dataSource(counting).sessions(1).maxSessions(1));
        // Which opens the session, so that what follows is the round trips of the locks alone.
        locker.exclusive(locker.key("first")).acquire().close();
        for (LockRequest request : List.of(
                locker.exclusive(RenamedLocks.INVOICE_CLOSE),
                locker.shared(RenamedLocks.ACCOUNT.of(42L), locker.key("another")))) {
            statements.forget();
            LockHandle handle = request.acquire();
            assertThat(statements.executed()).singleElement().asString().contains("unnest");
            assertThat(handle.attempts()).isEqualTo(1);
            handle.close();
            assertThat(statements.executed()).hasSize(2);
        }
    }

    @Test
    void interrupt_whileWaitingForAConnection_throwsWithFlagSet() throws Exception {
        HikariDataSource dataSource = hostileDataSource(database.url(), 1);
        Locker locker = opened(Locker.builder(APP).dataSource(dataSource));
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        try (Connection ignored = dataSource.getConnection()) {
            Thread waiter = new Thread(() -> {
                try {
                    locker.exclusive(locker.key("no-connection")).acquire();
                    flag.completeExceptionally(new AssertionError("acquired"));
                } catch (LockInterruptedException e) {
                    flag.complete(Thread.currentThread().isInterrupted());
                } catch (RuntimeException e) {
                    flag.completeExceptionally(e);
                }
            });
            waiter.start();
            await().atMost(TestDatabase.PATIENCE)
                    .until(() -> dataSource.getHikariPoolMXBean().getThreadsAwaitingConnection() == 1);
            waiter.interrupt();
            assertThat(flag).succeedsWithin(TestDatabase.PATIENCE).isEqualTo(true);
        }
    }
}
