package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.pals.key.LockKey;
import dev.pals.lock.LockBudgetException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.WaitPolicy;
import java.lang.reflect.Field;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** How much there may be at a time, and that nothing of it is left. */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class LimitsTest {
    private static final int MANY = 10_000;
    private static final int CONNECTIONS = 24;
    private static final int KEYS_AT_ONCE = 250;
    /** {@code -Dpals.limits.keys=100000} for a quicker run. */
    private static final long KEYS_OVER_TIME = Long.getLong("pals.limits.keys", 1_000_000);

    private static final long HEAP_GROWTH = 50_000_000;

    private final TestDatabase database;

    LimitsTest(TestDatabase database) {
        this.database = database;
    }

    private LockerBuilder builder() {
        return Locker.builder("limits").url(database.url());
    }

    @AfterEach
    void noAdvisoryRowIsLeft() {
        database.awaitNoAdvisoryRow();
    }

    @Test
    void tenThousandLocks_ofOneLocker_areHeldByFewConnections() throws Exception {
        int room = roomForLocks();
        assumeThat(room)
                .as("locks that this server has room for: its max_locks_per_transaction * max_connections")
                .isGreaterThan(MANY);
        try (Locker locker = builder().maxSessions(CONNECTIONS).lockBudget(MANY).build()) {
            List<LockHandle> held = new ArrayList<>();
            for (List<LockKey> keys : keysInGroups(locker, MANY)) {
                held.add(locker.exclusive(keys).acquire());
            }
            assertThat(database.advisoryRows()).hasSize(MANY);
            assertThat(number("select count(distinct pid) from pg_locks where locktype = 'advisory'"))
                    .isBetween(2L, (long) CONNECTIONS);
            assertThat(number("select count(*) from pg_stat_activity where application_name = 'limits'"))
                    .isBetween(2L, (long) CONNECTIONS);
            assertThat(held).allMatch(LockHandle::isHeld);

            held.forEach(LockHandle::close);
            assertThat(database.advisoryRows()).isEmpty();
        }
    }

    private static List<List<LockKey>> keysInGroups(Locker locker, int count) {
        return IntStream.range(0, count / KEYS_AT_ONCE)
                .mapToObj(group -> IntStream.range(0, KEYS_AT_ONCE)
                        .mapToObj(i -> locker.key("many-" + group + "-" + i))
                        .toList())
                .toList();
    }

    /** Where the server's table is full, every session fails, whatever it asks. */
    @Test
    void budget_byDefault_stopsALockerBeforeTheServerIsFull() throws Exception {
        int room = roomForLocks();
        try (Locker locker = builder().build();
                Connection bystander = DriverManager.getConnection(database.url())) {
            List<LockHandle> held = new ArrayList<>();
            LockBudgetException refused = null;
            for (int i = 0; i <= room && refused == null; i++) {
                try {
                    held.add(locker.exclusive(locker.key("greedy-" + i)).acquire());
                } catch (LockBudgetException e) {
                    refused = e;
                }
            }
            assertThat(held).hasSize(room / 4);
            Objects.requireNonNull(refused, "refused");
            assertThat(refused.held()).isEqualTo(held.size());
            assertThat(refused.budget()).isEqualTo(held.size());
            assertThat(refused).hasMessageContaining(Integer.toString(held.size()));
            assertThat(held).allMatch(LockHandle::isHeld);

            long own = locker.key("bystander").lockHash();
            assertThat(answer(bystander, "select pg_try_advisory_lock(" + own + ")::int"))
                    .isEqualTo(1);
            assertThat(answer(bystander, "select count(*) from pg_class")).isPositive();
            assertThat(answer(bystander, "select pg_advisory_unlock(" + own + ")::int"))
                    .isEqualTo(1);

            held.remove(0).close();
            LockHandle again = locker.exclusive(locker.key("within-the-budget")).acquire();
            assertThat(again.isHeld()).isTrue();
            again.close();
            held.forEach(LockHandle::close);
        }
    }

    /**
     * Each with a lock of its own, and one that all of them share, at the same moment; then one that each wants alone.
     */
    @Test
    void virtualThreads_tenThousandAtOnce_holdTheirOwnAndAHotKey() throws Exception {
        Optional<ExecutorService> virtual = VirtualThreads.executor();
        assumeThat(virtual)
                .as("virtual threads, which this JDK, " + Runtime.version() + ", does not have")
                .isPresent();
        assumeThat(roomForLocks())
                .as("locks that this server has room for: its max_locks_per_transaction * max_connections")
                .isGreaterThan(MANY);
        ExecutorService threads = virtual.orElseThrow();
        try (Locker locker = builder()
                .maxSessions(CONNECTIONS)
                .lockBudget(MANY + CONNECTIONS)
                .build()) {
            LockKey hot = locker.key("hot");
            LockKey hotter = locker.key("hotter");
            CountDownLatch holding = new CountDownLatch(MANY);
            CountDownLatch goOn = new CountDownLatch(1);
            AtomicInteger inside = new AtomicInteger();
            int[] counted = {0};
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < MANY; i++) {
                LockKey own = locker.key("own-" + i);
                all.add(threads.submit(() -> {
                    try (LockHandle mine =
                            locker.exclusive(own).waiting(WaitPolicy.forever()).acquire()) {
                        try (LockHandle ours =
                                locker.shared(hot).waiting(WaitPolicy.forever()).acquire()) {
                            assertThat(mine.isHeld() && ours.isHeld()).isTrue();
                            holding.countDown();
                            goOn.await();
                        }
                        locker.exclusive(hotter).waiting(WaitPolicy.forever()).run(() -> {
                            assertThat(inside.incrementAndGet()).isEqualTo(1);
                            // Not atomic: only the lock keeps it right.
                            counted[0]++;
                            inside.decrementAndGet();
                        });
                    }
                    return null;
                }));
            }
            assertThat(holding.await(120, TimeUnit.SECONDS))
                    .as("still to come: %s", holding.getCount())
                    .isTrue();
            assertThat(database.advisoryRows()).hasSize(MANY + 1);
            assertThat(number("select count(*) from pg_stat_activity where application_name = 'limits'"))
                    .isLessThanOrEqualTo(CONNECTIONS);

            goOn.countDown();
            for (Future<?> each : all) {
                each.get(120, TimeUnit.SECONDS);
            }
            assertThat(counted[0]).isEqualTo(MANY);
            assertThat(gatesOf(locker)).endsWith("gates []");
        } finally {
            threads.shutdownNow();
        }
    }

    /** Each key is used once. What is looked at is {@code Gates.toString()}, which lists the gates. */
    @Test
    void keys_aMillionUsedOnce_leaveNoMemoryBehind() throws Exception {
        try (Locker locker = builder().sessions(2).lockBudget(2_000).build()) {
            useOnce(locker, 0, 20_000);
            long before = usedHeap();

            useOnce(locker, 20_000, 20_000 + KEYS_OVER_TIME);

            assertThat(gatesOf(locker)).as("gates that are left").endsWith("gates []");
            try (LockHandle ignored = locker.exclusive(locker.key("seen")).acquire()) {
                assertThat(gatesOf(locker)).contains("seen");
            }
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(usedHeap() - before)
                            .as("bytes of heap that %s keys have left", KEYS_OVER_TIME)
                            .isLessThan(HEAP_GROWTH));
        }
    }

    private static void useOnce(Locker locker, long from, long to) throws InterruptedException {
        AtomicLong next = new AtomicLong(from);
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        List<Thread> threads = IntStream.range(0, 3)
                .mapToObj(i -> new Thread(() -> {
                    try {
                        for (long first = next.getAndAdd(KEYS_AT_ONCE);
                                first < to;
                                first = next.getAndAdd(KEYS_AT_ONCE)) {
                            useOnceTogether(locker, first);
                        }
                    } catch (RuntimeException | Error e) {
                        failures.add(e);
                    }
                }))
                .toList();
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failures).isEmpty();
    }

    private static void useOnceTogether(Locker locker, long first) {
        List<LockKey> keys = LongStream.range(first, first + KEYS_AT_ONCE)
                .mapToObj(i -> locker.key("once-" + i))
                .toList();
        try (LockHandle lock = locker.exclusive(keys).tryAcquire().orElseThrow()) {
            assertThat(lock.isHeld()).isTrue();
        }
        // One key alone takes another way through its gate.
        locker.shared(locker.key("alone-" + first)).run(() -> {});
    }

    private static long usedHeap() {
        Runtime runtime = Runtime.getRuntime();
        System.gc();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    private static String gatesOf(Locker locker) {
        try {
            Field gates = Locker.class.getDeclaredField("gates");
            gates.setAccessible(true);
            return gates.get(locker).toString();
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("Locker has changed", e);
        }
    }

    private int roomForLocks() throws SQLException {
        return (int) number(
                "select current_setting('max_locks_per_transaction')::int * (current_setting('max_connections')::int"
                        + " + current_setting('max_prepared_transactions')::int)");
    }

    private long number(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(database.url())) {
            return answer(connection, sql);
        }
    }

    private static long answer(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getLong(1);
        }
    }
}
