package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Lockers and threads of one test, which end with it and leave no lock behind. */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class LockerFixture {
    final TestDatabase database;
    private final String app;
    private final List<Locker> lockers = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    LockerFixture(TestDatabase database, String app) {
        this.database = database;
        this.app = app;
    }

    LockerBuilder builder() {
        return Locker.builder(app).url(database.url());
    }

    final Locker opened(LockerBuilder builder) {
        Locker locker = builder.build();
        lockers.add(locker);
        return locker;
    }

    final Locker locker() {
        return opened(builder());
    }

    final <T> Future<T> inBackground(Callable<T> work) {
        return threads.submit(work);
    }

    /** What one of several threads does, by its number from 0 on. */
    interface Numbered {
        void run(int number) throws Exception;
    }

    /** Returns when all have done it; throws what one of them has thrown. */
    final void inEachOf(int count, Numbered work) throws Exception {
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            all.add(inBackground(() -> {
                work.run(number);
                return number;
            }));
        }
        for (Future<?> each : all) {
            each.get();
        }
    }

    @AfterEach
    void noAdvisoryRowIsLeft() throws InterruptedException {
        lockers.forEach(Locker::close);
        threads.shutdownNow();
        assertThat(threads.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        database.awaitNoAdvisoryRow();
    }

    /** How many sessions PostgreSQL has under this name, in any of its databases. */
    final int sessionsOf(String applicationName) {
        try (Connection connection = database.dataSource().getConnection();
                PreparedStatement statement = connection.prepareStatement(
                        "select count(*) from pg_stat_activity where application_name = ?")) {
            statement.setString(1, applicationName);
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                return result.getInt(1);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    static void awaitZero(CountDownLatch latch) {
        try {
            if (!latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("still to come: " + latch.getCount());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }
}
