package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.lock.LockHandle;
import java.io.File;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A locker that is closed leaves nothing behind: no connection, no thread, no file. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class OpenCloseTest extends LockerFixture {
    private static final String APP = "open-close";
    private static final int CYCLES = 1_000;
    private static final int WARM_UP = 20;
    /** Where the JVM shows them as files; elsewhere, files are not counted. */
    private static final File OPEN_FILES = new File("/proc/self/fd");
    /** Of the JVM itself and of other tests' servers, which come and go: far fewer than one a cycle. */
    private static final int OTHER_FILES = 50;

    OpenCloseTest(TestDatabase database) {
        super(database, APP);
    }

    @Test
    void locker_ofAPoolOfItsOwn_openedAndClosedAThousandTimes_leavesNothing() {
        cycle(CYCLES, () -> builder().maxSessions(3));

        // The control: where there is a connection, it is seen.
        try (Locker locker = builder().build()) {
            assertThat(sessionsOf(APP)).as(locker.toString()).isPositive();
        }
    }

    @Test
    void locker_ofAUsersDataSource_openedAndClosedAThousandTimes_leavesNothing() {
        HikariConfig config = new HikariConfig();
        config.setPoolName("the-users-own");
        config.setJdbcUrl(database.url());
        config.setMaximumPoolSize(4);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            cycle(CYCLES, () -> Locker.builder(APP).dataSource(pool).maxSessions(3));

            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
            assertThat(pool.getHikariPoolMXBean().getTotalConnections()).isBetween(1, 4);
        }
    }

    /** Each hands a lock on, and is closed while it holds another. */
    private void cycle(int cycles, Supplier<LockerBuilder> builder) {
        for (int i = 0; i < WARM_UP; i++) {
            openUseAndClose(builder.get());
        }
        Map<String, Long> threadsBefore = threads();
        int filesBefore = openFiles();

        for (int i = 0; i < cycles; i++) {
            openUseAndClose(builder.get());
        }

        awaitSoon(() -> {
            assertThat(sessionsOf(APP)).as("connections").isZero();
            assertThat(newThreads(threadsBefore)).as("threads").isEmpty();
            assertThat(openFiles() - filesBefore).as("files").isLessThan(OTHER_FILES);
        });
        // Those that are looked for have such names.
        try (Locker locker = builder.get().build();
                LockHandle handle = locker.exclusive(locker.key("seen")).acquire()) {
            assertThat(handle.isHeld()).isTrue();
            assertThat(newThreads(threadsBefore)).isNotEmpty();
        }
        awaitSoon(() -> assertThat(newThreads(threadsBefore)).isEmpty());
    }

    private void openUseAndClose(LockerBuilder builder) {
        LockHandle held;
        try (Locker locker = builder.build()) {
            LockHandle first = locker.exclusive(locker.key("handed-on")).acquire();
            var next = locker.exclusive(locker.key("handed-on")).acquireAsync().toCompletableFuture();
            first.close();
            next.join().close();
            held = locker.shared(locker.key("held")).acquire();
            assertThat(held.isHeld()).isTrue();
        }
        assertThat(held.isHeld()).isFalse();
    }

    private static void awaitSoon(Runnable asserted) {
        await().pollInterval(Duration.ofMillis(50)).atMost(PATIENCE).untilAsserted(asserted::run);
    }

    /** By name, of which the numbers are left out. */
    private static Map<String, Long> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(thread -> thread.getName().replaceAll("[0-9]+", "N"))
                .collect(Collectors.groupingBy(name -> name, TreeMap::new, Collectors.counting()));
    }

    /** Those of lockers, and any of which there are many more than before. */
    private static List<String> newThreads(Map<String, Long> before) {
        return threads().entrySet().stream()
                .filter(now ->
                        now.getKey().contains(APP) || now.getValue() > before.getOrDefault(now.getKey(), 0L) + WARM_UP)
                .map(now -> now.getValue() + " " + now.getKey())
                .toList();
    }

    private static int openFiles() {
        String[] files = OPEN_FILES.list();
        return files == null ? 0 : files.length;
    }
}
