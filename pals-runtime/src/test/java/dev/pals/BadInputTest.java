package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.key.InvalidLockNameException;
import dev.pals.key.LockKey;
import dev.pals.lock.InvalidWaitException;
import dev.pals.lock.LockBudgetException;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.SessionUnavailableException;
import dev.pals.lock.WaitPolicy;
import java.io.IOException;
import java.net.ServerSocket;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.AbstractCollection;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bad input gets a typed error that says what to do; a lock that is held meanwhile stays held. */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@SuppressWarnings("NullAway") // Null arguments are among the bad input.
final class BadInputTest {
    private static final String SECRET = "s3cret-pass";

    private final TestDatabase database;
    private final Locker locker;
    private final LockKey key;
    private final LockHandle held;

    BadInputTest(TestDatabase database) {
        this.database = database;
        locker = Locker.builder("bad-input").url(database.url()).sessions(3).build();
        key = locker.key("held-meanwhile");
        held = locker.exclusive(key).acquire();
    }

    @BeforeEach
    void onlyTheHeldLockIsThere() {
        assertThat(database.advisoryRows()).hasSize(1);
    }

    @AfterEach
    void nothingIsLostOrLeft() {
        try {
            assertThat(held.isHeld()).isTrue();
            assertThat(database.rowsOf(key)).hasSize(1);
            assertThat(database.advisoryRows()).hasSize(1);
            held.close();
            assertThat(locker.exclusive(key).tryAcquire()).isPresent();
        } finally {
            locker.close();
        }
        database.awaitNoAdvisoryRow();
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", " ", "\t\n", "\u2003", "a\0b", "\0", "high \uD800 alone", "\uDC00 low first"})
    void name_unusable_isRefusedEverywhere(@Nullable String bad) {
        assertThatThrownBy(() -> Locker.builder(bad))
                .isInstanceOf(InvalidLockNameException.class)
                .hasMessageContaining("app name");
        assertThatThrownBy(() -> Locker.create(bad, database.url())).isInstanceOf(InvalidLockNameException.class);
        assertThatThrownBy(() -> Locker.create(bad, database.dataSource()))
                .isInstanceOf(InvalidLockNameException.class);
        assertThatThrownBy(() -> locker.key(bad))
                .isInstanceOf(InvalidLockNameException.class)
                .hasMessageContaining("lock name");
    }

    @Test
    void wait_null_isRefused() {
        LockRequest request = locker.exclusive(key);
        for (var attempt : List.<ThrowingCallable>of(
                () -> request.waitAtMost(null),
                () -> request.acquire(null),
                () -> request.tryAcquire(null),
                () -> WaitPolicy.atMost(null),
                () -> WaitPolicy.polling(null, Duration.ZERO),
                () -> WaitPolicy.polling(Duration.ofMillis(1), null),
                () -> Locker.builder("app").waitAtMost(null))) {
            assertThatThrownBy(attempt).isInstanceOf(InvalidWaitException.class).hasMessageContaining("is null");
        }
        assertThatThrownBy(() -> request.waiting(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("policy");
    }

    @Test
    void wait_negative_isRefused() {
        Duration negative = Duration.ofNanos(-1);
        LockRequest request = locker.exclusive(key);
        for (var attempt : List.<ThrowingCallable>of(
                () -> request.waitAtMost(negative),
                () -> request.acquire(negative),
                () -> request.tryAcquire(negative),
                () -> WaitPolicy.atMost(negative),
                () -> WaitPolicy.polling(negative, Duration.ZERO),
                () -> WaitPolicy.polling(Duration.ofMillis(1), negative),
                () -> Locker.builder("app").waitAtMost(negative))) {
            assertThatThrownBy(attempt)
                    .isInstanceOf(InvalidWaitException.class)
                    .hasMessageContaining("negative")
                    .hasMessageContaining(negative.toString());
        }
    }

    @Test
    void retryDelay_zero_isRefused() {
        assertThatThrownBy(() -> WaitPolicy.polling(Duration.ZERO, PATIENCE))
                .isInstanceOf(InvalidWaitException.class)
                .hasMessageContaining("retryDelay");
    }

    @Test
    void keys_empty_areRefused() {
        assertThatThrownBy(() -> locker.exclusive(List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least one key");
        assertThatThrownBy(() -> locker.shared(List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void keys_emptiedMeanwhile_areRefused() {
        Collection<LockKey> emptied = new AbstractCollection<>() {
            @Override
            public int size() {
                return 1;
            }

            @Override
            public Iterator<LockKey> iterator() {
                return Collections.emptyIterator();
            }
        };
        assertThatThrownBy(() -> locker.exclusive(emptied))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least one key");
    }

    @Test
    void keys_null_areRefused() {
        assertThatThrownBy(() -> locker.exclusive((LockKey) null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> locker.shared(key, (LockKey) null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> locker.exclusive((List<LockKey>) null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void body_null_isRefusedBeforeTheLockIsTaken() {
        LockRequest request = locker.exclusive(locker.key("no-body"));
        assertThatThrownBy(() -> request.run(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("body");
        assertThatThrownBy(() -> request.call(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("body");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 10_001})
    void sessions_outOfRange_areRefused(int sessions) {
        assertThatThrownBy(() -> Locker.builder("app").maxSessions(sessions))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxSessions(" + sessions + ")");
        assertThatThrownBy(() -> Locker.builder("app").sessions(sessions))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sessions(" + sessions + ")");
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                "postgresql://app:" + SECRET + "@localhost/app",
                "jdbc:mysql://localhost/app?password=" + SECRET,
                " jdbc:postgresql://localhost/app?password=" + SECRET,
                "localhost/app?password=" + SECRET
            })
    void url_isNoUrlOfPostgres_isRefusedWithoutItsPassword(@Nullable String url) {
        assertThatThrownBy(() -> Locker.builder("app").url(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("jdbc:postgresql:")
                .hasMessageNotContaining(SECRET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://localhost:no-port/app?user=app&password=" + SECRET,
                "jdbc:postgresql://localhost:99999999/app?user=app&password=" + SECRET,
                "jdbc:postgresql://app:" + SECRET + "@localhost:no-port/app",
                "jdbc:postgresql://localhost/%zz?password=" + SECRET
            })
    void url_malformed_isRefusedWithoutItsPassword(String url) {
        assertThatThrownBy(() -> Locker.create("app", url))
                .isInstanceOfAny(IllegalArgumentException.class, LockDatabaseException.class)
                .satisfies(e -> {
                    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                        assertThat(cause).hasMessageNotContaining(SECRET);
                    }
                });
    }

    @Test
    void builder_noDatabaseOrTwo_isRefused() {
        assertThatThrownBy(() -> Locker.builder("app").build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("url(", "dataSource(");
        assertThatThrownBy(() -> Locker.builder("app")
                        .url(database.url())
                        .dataSource(database.dataSource())
                        .build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("url(", "dataSource(");
        assertThatThrownBy(() -> Locker.builder("app").dataSource(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("dataSource");
    }

    @Test
    void database_nobodyListens_throwsLockDatabase() throws IOException {
        String url = "jdbc:postgresql://localhost:" + freePort() + "/app?user=app&password=" + SECRET;
        assertThatThrownBy(() -> Locker.create("app", url))
                .isInstanceOfSatisfying(
                        LockDatabaseException.class,
                        e -> assertThat(e.sqlState()).startsWith("08"))
                .hasMessageContaining("Locker \"app\"")
                .hasMessageNotContaining(SECRET);
    }

    @Test
    void database_doesNotExist_throwsLockDatabase() {
        String url = database.url().replaceFirst("/pals_[0-9a-f]+", "/no_such_database");
        assertThat(url).isNotEqualTo(database.url());
        assertThatThrownBy(() -> Locker.create("app", url))
                .isInstanceOfSatisfying(
                        LockDatabaseException.class,
                        e -> assertThat(e.sqlState()).isEqualTo("3D000"))
                .hasMessageContaining("no_such_database");
    }

    @Test
    void lockBudget_usedUp_throwsWithTheNumbersAndKeepsWhatIsHeld() {
        try (Locker small =
                Locker.builder("small").url(database.url()).lockBudget(3).build()) {
            List<LockHandle> held = Stream.of("a", "b", "c")
                    .map(name -> small.exclusive(small.key(name)).acquire())
                    .toList();
            for (LockRequest request :
                    List.of(small.exclusive(small.key("d")), small.shared(small.key("d"), small.key("e")))) {
                assertThatThrownBy(request::acquire)
                        .isInstanceOfSatisfying(LockBudgetException.class, e -> {
                            assertThat(e.held()).isEqualTo(3);
                            assertThat(e.budget()).isEqualTo(3);
                        })
                        .hasMessageContainingAll("small", "3 locks", "lockBudget(...)");
            }
            assertThat(held).allMatch(LockHandle::isHeld);
            held.get(0).close();
            assertThat(small.exclusive(small.key("d")).tryAcquire()).isPresent();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
    void lockBudget_outOfRange_isRefused(int budget) {
        assertThatThrownBy(() -> Locker.builder("app").lockBudget(budget))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("lockBudget(" + budget + ")");
    }

    @Test
    void dataSource_noConnectionToSpare_throwsAndWorksAfterwards() throws SQLException {
        try (HikariDataSource small = smallDataSource();
                Locker other = Locker.create("bad-input", small)) {
            try (Connection ignored = small.getConnection()) {
                assertThatThrownBy(() -> other.exclusive(key).acquire(Duration.ofMillis(100)))
                        .isInstanceOf(SessionUnavailableException.class)
                        .hasMessageContaining("pool");
                assertThatThrownBy(() -> Locker.create("bad-input", small))
                        .isInstanceOf(SessionUnavailableException.class);
            }
            assertThat(other.exclusive(key).tryAcquire()).isEmpty();
        }
    }

    private HikariDataSource smallDataSource() {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.url());
        config.setMaximumPoolSize(1);
        config.setConnectionTimeout(300);
        return new HikariDataSource(config);
    }

    @Test
    void dataSource_closed_throwsLockDatabase() {
        HikariDataSource dataSource = smallDataSource();
        try (Locker other = Locker.create("bad-input", dataSource)) {
            dataSource.close();
            assertThatThrownBy(() -> other.exclusive(key).tryAcquire()).isInstanceOf(LockDatabaseException.class);
        }
    }

    @Test
    void close_manyTimes_staysQuiet() {
        Locker other = Locker.create("bad-input", database.dataSource());
        for (int i = 0; i < 5_000; i++) {
            other.close();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
