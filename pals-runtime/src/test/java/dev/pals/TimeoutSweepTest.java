package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.pals.TestDatabase.AdvisoryRow;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockTimeoutException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The holder releases within 3 ms of the waiter's deadline, where PostgreSQL raises timeouts for locks that it has
 * granted: what the caller is told must be what {@code pg_locks} says, each time.
 */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class TimeoutSweepTest {
    private static final int ROUNDS = 2_000;
    private static final int PAIRS = 4;
    private static final Duration WAIT = Duration.ofMillis(8);
    private static final long SPREAD_NANOS = TimeUnit.MILLISECONDS.toNanos(3);
    private static final List<String> LANGUAGES = List.of(
            "de_DE.UTF-8",
            "fr_FR.UTF-8",
            "es_ES.UTF-8",
            "pl_PL.UTF-8",
            "it_IT.UTF-8",
            "pt_BR.UTF-8",
            "ja_JP.UTF-8",
            "de_DE.utf8",
            "fr_FR.utf8",
            "es_ES.utf8",
            "pl_PL.utf8");

    private final TestDatabase database;

    TimeoutSweepTest(TestDatabase database) {
        this.database = database;
    }

    @Test
    void outcome_releaseNearTheDeadline_equalsPgLocks() throws Exception {
        sweep(database.url());
    }

    @Test
    void outcome_serverSpeaksAnotherLanguage_equalsPgLocks() throws Exception {
        String language = LANGUAGES.stream().filter(this::isSpoken).findFirst().orElse(null);
        assumeThat(language)
                .as(
                        "a language other than English that this server has message translations for, of %s"
                                + " (the embedded binaries ship none; a distribution's PostgreSQL has them)",
                        LANGUAGES)
                .isNotNull();
        sweep(urlIn(Objects.requireNonNull(language)));
    }

    private String urlIn(String language) {
        return database.urlWith("options=-c%20lc_messages=" + language);
    }

    /** The setting alone says nothing: a server without translations takes it and speaks English all the same. */
    private boolean isSpoken(String language) {
        String english = "division by zero";
        try (Connection connection = DriverManager.getConnection(urlIn(language));
                Statement statement = connection.createStatement()) {
            statement.execute("select 1 / 0");
            return false;
        } catch (SQLException e) {
            return "22012".equals(e.getSQLState())
                    && !Objects.requireNonNullElse(e.getMessage(), english).contains(english);
        }
    }

    private void sweep(String url) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        // Two lockers, as two programs have: so the waits are in PostgreSQL.
        try (Locker holder = Locker.builder("sweep").url(url).build();
                Locker locker = Locker.builder("sweep").url(url).build()) {
            List<Pair> pairs = new ArrayList<>();
            List<Future<?>> sides = new ArrayList<>();
            for (int i = 0; i < PAIRS; i++) {
                Pair pair = new Pair(holder, locker, locker.key("pair-" + i), database.url());
                pairs.add(pair);
                sides.add(threads.submit(pair::hold));
                sides.add(threads.submit(pair::await));
            }
            for (Future<?> side : sides) {
                side.get();
            }
            int granted = pairs.stream().mapToInt(pair -> pair.granted.get()).sum();
            int timeouts = pairs.stream().mapToInt(pair -> pair.timeouts.get()).sum();
            assertThat(granted + timeouts).isEqualTo(ROUNDS);
            assertThat(granted).as("rounds that got the lock").isPositive();
            assertThat(timeouts).as("rounds that timed out").isPositive();
        } finally {
            threads.shutdownNow();
            assertThat(threads.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        }
        database.awaitNoAdvisoryRow();
    }

    /** A holder and a waiter of one key; every round they meet before the wait, and again before the look. */
    private static final class Pair {
        private static final int OWN_ROUNDS = ROUNDS / PAIRS;

        private final Locker holder;
        private final Locker locker;
        private final LockKey key;
        private final String observerUrl;
        private final CyclicBarrier meeting = new CyclicBarrier(2);
        private final AtomicLong waitStarts = new AtomicLong();
        final AtomicInteger granted = new AtomicInteger();
        final AtomicInteger timeouts = new AtomicInteger();

        Pair(Locker holder, Locker locker, LockKey key, String observerUrl) {
            this.holder = holder;
            this.locker = locker;
            this.key = key;
            this.observerUrl = observerUrl;
        }

        @Nullable
        Void hold() throws Exception {
            for (int round = 0; round < OWN_ROUNDS; round++) {
                long offset = -SPREAD_NANOS + 2 * SPREAD_NANOS * round / (OWN_ROUNDS - 1);
                try (LockHandle ignored = holder.exclusive(key).acquire()) {
                    waitStarts.set(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1));
                    meet();
                    sleepUntil(waitStarts.get() + WAIT.toNanos() + offset);
                }
                meet();
                meet();
            }
            return null;
        }

        @Nullable
        Void await() throws Exception {
            try (Connection observer = DriverManager.getConnection(observerUrl)) {
                for (int round = 0; round < OWN_ROUNDS; round++) {
                    meet();
                    sleepUntil(waitStarts.get());
                    Optional<LockHandle> outcome = round % 2 == 0 ? tried() : acquired();
                    meet();
                    List<AdvisoryRow> rows = TestDatabase.advisoryRows(observer).stream()
                            .filter(row -> row.key() == key.lockHash())
                            .toList();
                    assertThat(rows)
                            .as("pg_locks in round %s, where the caller saw %s", round, outcome)
                            .extracting(AdvisoryRow::granted)
                            .isEqualTo(outcome.map(handle -> List.of(true)).orElse(List.of()));
                    (outcome.isPresent() ? granted : timeouts).incrementAndGet();
                    outcome.ifPresent(LockHandle::close);
                    meet();
                }
            }
            return null;
        }

        private Optional<LockHandle> tried() {
            return locker.exclusive(key).tryAcquire(WAIT);
        }

        private Optional<LockHandle> acquired() {
            try {
                return Optional.of(locker.exclusive(key).acquire(WAIT));
            } catch (LockTimeoutException e) {
                assertThat(e.waited()).isGreaterThanOrEqualTo(WAIT);
                return Optional.empty();
            }
        }

        private void meet() throws Exception {
            meeting.await(20, TimeUnit.SECONDS);
        }

        private static void sleepUntil(long nanoTime) {
            long rest = nanoTime - System.nanoTime();
            while (rest > 0) {
                LockSupport.parkNanos(rest);
                rest = nanoTime - System.nanoTime();
            }
        }
    }
}
