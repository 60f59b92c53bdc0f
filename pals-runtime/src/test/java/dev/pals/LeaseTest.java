package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.TestDatabase.AdvisoryRow;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLostException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Locks expire where their program hangs, and only there; and its sessions go back as they came. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class LeaseTest extends LockerFixture {
    private static final Logger LOG = LoggerFactory.getLogger(LeaseTest.class);
    private static final Duration LEASE = Duration.ofSeconds(2);

    /** Settings as an application may have them, in the form in which PostgreSQL shows them. */
    private static final Map<String, String> SETTINGS_OF_THE_APPLICATION = Map.ofEntries(
            entry("idle_session_timeout", "1h"),
            entry("tcp_keepalives_idle", "77"),
            entry("tcp_keepalives_interval", "7"),
            entry("tcp_keepalives_count", "5"),
            entry("tcp_user_timeout", "99000"),
            entry("client_connection_check_interval", "33s"));

    LeaseTest(TestDatabase database) {
        super(database, HolderMain.APP);
    }

    @Override
    LockerBuilder builder() {
        return super.builder().sessions(1);
    }

    private static void sleep(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private CompletableFuture<LockHandle> waitingIn(Locker locker, LockKey key) {
        CompletableFuture<LockHandle> waiting =
                locker.exclusive(key).acquireAsync().toCompletableFuture();
        database.awaitWaiter(key);
        return waiting;
    }

    private static LockHandle granted(CompletableFuture<LockHandle> waiting) throws Exception {
        return waiting.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static long millisSince(long start) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    }

    // ---- a program that hangs ----

    @Test
    void program_stopped_losesItsLockWithTheLeaseAndKnowsItWhenItWakes() throws Exception {
        Locker locker = locker();
        LockKey leased = locker.key("leased");
        LockKey unleased = locker.key("unleased");
        try (OtherProgram program = holder("leased", LEASE.toString());
                OtherProgram withoutLease = holder("unleased", HolderMain.NO_LEASE)) {
            assertThat(program.next()).isEqualTo(HolderMain.HOLDING);
            assertThat(withoutLease.next()).isEqualTo(HolderMain.HOLDING);
            withoutLease.stop();
            program.stop();
            long start = System.nanoTime();

            try (LockHandle next = locker.exclusive(leased).acquire(PATIENCE)) {
                LOG.info(
                        "The lock of a stopped program with a lease of {} was free after {} ms",
                        LEASE,
                        millisSince(start));
                sleep(LEASE.plusSeconds(1).minusNanos(System.nanoTime() - start));
                program.goOn();
                withoutLease.goOn();
                assertThat(program.next()).isEqualTo(HolderMain.WOKE_AND_DOES_NOT_HOLD);
                assertThat(program.next()).isEqualTo(HolderMain.LOST);
                assertThat(next.isHeld()).isTrue();
            }
            // The control: without a lease, all the same is different.
            assertThat(withoutLease.next()).isEqualTo(HolderMain.WOKE_AND_HOLDS);
            assertThat(locker.exclusive(unleased).tryAcquire()).isEmpty();
            sleep(Duration.ofMillis(500));
            assertThat(withoutLease.rest()).isEmpty();
            assertThat(program.rest()).isEmpty();
        }
    }

    /** PostgreSQL grants it the lock, of which it learns only when somebody else has it. */
    @Test
    void confirm_programStoppedJustAfterItAsked_tellsTheLoss() {
        Thread asking = Thread.currentThread();
        AtomicBoolean confirms = new AtomicBoolean();
        DataSource stopping = TracedDataSource.of(database.dataSource(), new TracedDataSource.Tracer() {
            @Override
            public void before(String what) {}

            @Override
            public void after(String sql) {
                if (Thread.currentThread() == asking && confirms.compareAndSet(true, false)) {
                    sleep(LEASE.plusSeconds(1));
                }
            }
        });
        Locker locker = opened(
                Locker.builder(HolderMain.APP).dataSource(stopping).sessions(1).lease(LEASE));
        LockHandle handle = locker.exclusive(locker.key("confirmed")).acquire();
        confirms.set(true);

        assertThatThrownBy(() -> confirmWhile(handle, confirms)).isInstanceOf(LockLostException.class);
    }

    /** Another thread may send its question along with a heartbeat. */
    private static void confirmWhile(LockHandle handle, AtomicBoolean confirms) {
        while (confirms.get()) {
            handle.confirm();
        }
    }

    @Test
    void program_stoppedWhileItWaits_neverTakesTheLockForItsOwn() throws Exception {
        Locker locker = locker();
        LockKey key = locker.key("waited-for");
        LockHandle first = locker().exclusive(key).acquire();
        try (OtherProgram program = holder("waited-for", LEASE.toString())) {
            database.awaitWaiter(key);
            CompletableFuture<LockHandle> next =
                    locker.exclusive(key).acquireAsync().toCompletableFuture();
            await().atMost(PATIENCE).until(() -> database.rowsOf(key).size() == 3);
            program.stop();
            first.close();
            assertThat(next).as("the stopped program is first").isNotDone();
            long start = System.nanoTime();
            try (LockHandle handle = granted(next)) {
                LOG.info(
                        "The lock that a stopped program with a lease of {} was granted was free after {} ms",
                        LEASE,
                        millisSince(start));
                program.goOn();
                assertThat(program.next()).isEqualTo(HolderMain.FAILED);
                assertThat(handle.isHeld()).isTrue();
            }
        }
    }

    /** PostgreSQL cannot tell a program that hangs from a network that drops everything. */
    @Test
    void isHeld_serverSilent_turnsFalseBeforePostgresqlFreesTheLock() {
        try (SilentProxy proxy = new SilentProxy(database.url());
                Locker locker = builder().url(proxy.url()).lease(LEASE).build()) {
            LockHandle handle = locker.exclusive(locker.key("behind-a-proxy")).acquire();
            LockKey key = handle.keys().get(0);
            proxy.silence();
            assertThat(handle.isHeld()).isTrue();
            long start = System.nanoTime();
            while (database.isHeld(key)) {
                assertThat(System.nanoTime() - start).as("nanoseconds").isLessThan(PATIENCE.toNanos());
            }
            assertThat(handle.isHeld()).isFalse();
            LOG.info(
                    "The lock of a silenced program with a lease of {} was free after {} ms",
                    LEASE,
                    millisSince(start));
            assertThatThrownBy(handle::close).isInstanceOf(LockLostException.class);
            proxy.close();
        }
    }

    private OtherProgram holder(String name, String lease) {
        return OtherProgram.start(HolderMain.class, database.url(), name, lease, "PT30S");
    }

    // ---- a program that runs ----

    @Test
    void lock_heldOverSeveralLeases_isKeptByHeartbeats() throws Exception {
        Locker locker = opened(builder().lease(LEASE));
        Locker other = locker();
        LockKey atOnce = locker.key("got-at-once");
        LockKey byWaiting = locker.key("got-by-waiting");
        CompletableFuture<LockHandle> waiting;
        try (LockHandle ignored = other.exclusive(byWaiting).acquire()) {
            waiting = waitingIn(locker, byWaiting);
            // Longer than the lease: a session that waits is not idle.
            sleep(LEASE.plusMillis(300));
        }
        try (LockHandle second = granted(waiting);
                LockHandle first = locker.exclusive(atOnce).acquire()) {
            List<AdvisoryRow> before = database.advisoryRows();
            Queue<Exception> losses = new ConcurrentLinkedQueue<>();
            first.onLost(losses::add);
            second.onLost(losses::add);
            sleep(LEASE.multipliedBy(2).plusMillis(500));
            assertThat(losses).isEmpty();
            assertThat(database.advisoryRows()).hasSize(2).isEqualTo(before);
            await().atMost(PATIENCE).until(() -> first.isHeld() && second.isHeld());
        }
    }

    /** Its shared session holds nothing then, and so PostgreSQL would end it as the lease says. */
    @Test
    void request_afterALeaseInWhichOnlyAWaitingSessionHeldALock_isServed() throws Exception {
        Locker locker = opened(builder().lease(LEASE));
        LockKey key = locker.key("got-by-waiting");
        CompletableFuture<LockHandle> waiting;
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            waiting = waitingIn(locker, key);
        }
        try (LockHandle handle = granted(waiting)) {
            sleep(LEASE.plusMillis(700));
            assertThat(locker.exclusive(locker.key("another")).tryAcquire()).hasValueSatisfying(LockHandle::close);
            assertThat(handle.isHeld()).isTrue();
        }
    }

    /** The shortest lease is as long as it takes until an idle connection is given back. */
    @Test
    void requests_aLeaseApart_areServed() {
        List<Locker> several = IntStream.range(0, 6)
                .mapToObj(i -> {
                    sleep(Duration.ofMillis(40));
                    return opened(builder().lease(Duration.ofSeconds(1)));
                })
                .toList();
        for (int i = 0; i < 3; i++) {
            for (Locker locker : several) {
                assertThat(locker.exclusive(locker.key("now-and-then")).tryAcquire())
                        .hasValueSatisfying(LockHandle::close);
            }
            sleep(Duration.ofMillis(1_030));
        }
    }

    // ---- the settings of its sessions ----

    @Test
    void settings_ofASession_areMadeAndPutBack() throws SQLException {
        int networkTimeout = 98_765;
        try (Connection connection = DriverManager.getConnection(database.url());
                Statement statement = connection.createStatement()) {
            statement.execute(settingAll());
            connection.setNetworkTimeout(Runnable::run, networkTimeout);
            try (Locker locker = Locker.builder(HolderMain.APP)
                    .dataSource(lending(connection))
                    .sessions(1)
                    .maxSessions(1)
                    .lease(LEASE)
                    .orphanTime(Duration.ofSeconds(6))
                    .build()) {
                LockHandle handle = locker.exclusive(locker.key("set")).acquire();
                Map<String, String> meanwhile = settingsOf(connection);
                assertThat(meanwhile)
                        .containsEntry("idle_session_timeout", "2s")
                        .containsEntry("client_connection_check_interval", "3s")
                        .containsEntry("tcp_user_timeout", "6000");
                int idle = number(meanwhile, "tcp_keepalives_idle");
                int probing = number(meanwhile, "tcp_keepalives_interval") * number(meanwhile, "tcp_keepalives_count");
                assertThat(idle).isPositive();
                assertThat(probing).isPositive();
                assertThat(idle + probing).isLessThanOrEqualTo(6);
                assertThat(connection.getNetworkTimeout()).isBetween(1, 2_000);
                handle.close();
            }
            assertThat(settingsOf(connection)).isEqualTo(SETTINGS_OF_THE_APPLICATION);
            assertThat(connection.getNetworkTimeout()).isEqualTo(networkTimeout);
            assertThat(connection.getAutoCommit()).isTrue();
        }
    }

    /** With a single one, a wait is of tries; with a second, it is in PostgreSQL's queue. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void connections_backInThePool_areAsTheyWere(int poolSize) throws Exception {
        HikariConfig config = new HikariConfig();
        config.setPoolName("application");
        config.setJdbcUrl(database.url());
        config.setMaximumPoolSize(poolSize);
        config.setConnectionTimeout(5_000);
        config.setConnectionInitSql(settingAll());
        try (HikariDataSource pool = new HikariDataSource(config)) {
            List<Map<String, String>> before = settingsOfAll(pool, poolSize);
            assertThat(before)
                    .allSatisfy(settings -> assertThat(settings).containsAllEntriesOf(SETTINGS_OF_THE_APPLICATION));
            try (Locker locker = Locker.builder(HolderMain.APP)
                    .dataSource(pool)
                    .sessions(1)
                    .maxSessions(poolSize)
                    .lease(LEASE)
                    .orphanTime(Duration.ofSeconds(6))
                    .build()) {
                LockKey key = locker.key("pooled");
                CompletableFuture<LockHandle> waiting;
                try (LockHandle ignored = locker().exclusive(key).acquire()) {
                    waiting = locker.exclusive(key).acquireAsync().toCompletableFuture();
                    if (poolSize > 1) {
                        database.awaitWaiter(key);
                    }
                }
                granted(waiting).close();
            }
            assertThat(settingsOfAll(pool, poolSize))
                    .as("the same connections, with the same settings")
                    .containsExactlyInAnyOrderElementsOf(before);
        }
    }

    private static List<Map<String, String>> settingsOfAll(DataSource pool, int size) throws SQLException {
        List<Connection> borrowed = new ArrayList<>();
        List<Map<String, String>> settings = new ArrayList<>();
        try {
            for (int i = 0; i < size; i++) {
                borrowed.add(pool.getConnection());
            }
            for (Connection connection : borrowed) {
                Map<String, String> withPid = new HashMap<>(settingsOf(connection));
                withPid.put("pid", single(connection, "select pg_backend_pid()"));
                withPid.put("network timeout", Integer.toString(connection.getNetworkTimeout()));
                settings.add(withPid);
            }
            return settings;
        } finally {
            for (Connection connection : borrowed) {
                connection.close();
            }
        }
    }

    private static String settingAll() {
        StringBuilder sql = new StringBuilder();
        SETTINGS_OF_THE_APPLICATION.forEach((name, value) ->
                sql.append("set ").append(name).append(" = '").append(value).append("';"));
        return sql.toString();
    }

    private static Map<String, String> settingsOf(Connection connection) throws SQLException {
        Map<String, String> settings = new HashMap<>();
        for (String name : SETTINGS_OF_THE_APPLICATION.keySet()) {
            settings.put(name, single(connection, "show " + name));
        }
        return settings;
    }

    private static String single(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }

    private static int number(Map<String, String> settings, String name) {
        return Integer.parseInt(settings.getOrDefault(name, "missing"));
    }

    /** Lends one connection again and again, and resets nothing on it. */
    private static DataSource lending(Connection connection) {
        Connection lent = (Connection) Proxy.newProxyInstance(
                LeaseTest.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                        return null;
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        return (DataSource) Proxy.newProxyInstance(
                LeaseTest.class.getClassLoader(),
                new Class<?>[] {DataSource.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "getConnection" -> lent;
                    case "isWrapperFor" -> false;
                    default -> throw new UnsupportedOperationException(method.toString());
                });
    }

    // ---- bad values ----

    @ParameterizedTest
    @ValueSource(strings = {"PT0.999S", "PT0S", "PT-2S", "PT480H0.001S", "P106751991167300D"})
    void lease_outOfRange_isRefusedWithTheRange(Duration lease) {
        assertThatThrownBy(() -> builder().lease(lease))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("lease(" + lease + ")")
                .hasMessageContaining("PT1S")
                .hasMessageContaining("PT480H");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT1.999S", "PT0S", "PT-2S", "PT480H0.001S", "P106751991167300D"})
    void orphanTime_outOfRange_isRefusedWithTheRange(Duration orphanTime) {
        assertThatThrownBy(() -> builder().orphanTime(orphanTime))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("orphanTime(" + orphanTime + ")")
                .hasMessageContaining("PT2S")
                .hasMessageContaining("PT480H");
    }

    @Test
    @SuppressWarnings("NullAway") // as callers may that are not checked
    void times_null_areRefusedByName() {
        assertThatNullPointerException().isThrownBy(() -> builder().lease(null)).withMessage("lease");
        assertThatNullPointerException()
                .isThrownBy(() -> builder().orphanTime(null))
                .withMessage("orphanTime");
    }

    /** Each bound is in the range, and PostgreSQL takes it too. */
    @ParameterizedTest
    @ValueSource(strings = {"PT2S", "P20D"})
    void times_atTheBounds_work(Duration time) {
        Duration lease = time.equals(Duration.ofSeconds(2)) ? Duration.ofSeconds(1) : time;
        Locker locker = opened(builder().lease(lease).orphanTime(time));
        try (LockHandle handle = locker.exclusive(locker.key("at-the-bounds")).acquire()) {
            assertThat(handle.isHeld()).isTrue();
            assertThat(database.isHeld(handle.keys().get(0))).isTrue();
        }
        assertThatCode(locker::close).doesNotThrowAnyException();
    }
}
