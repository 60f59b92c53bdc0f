package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pals.TurnsMain.Turn;
import dev.pals.TurnsMain.Turns;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Programs of several threads each want one lock all the time: one is in at a time, and each has its share. */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class TwoProgramsTest {
    private static final Logger LOG = LoggerFactory.getLogger(TwoProgramsTest.class);
    /** Others use this machine as well. */
    private static final int ATTEMPTS = 3;

    private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);
    /** Longer, or else nobody could wait for too long. */
    private static final Duration RUN = Duration.ofSeconds(6);

    private final TestDatabase database;

    TwoProgramsTest(TestDatabase database) {
        this.database = database;
    }

    @BeforeEach
    void createCounter() {
        database.execute("create table " + TurnsMain.TABLE + " as select 0::bigint as n");
    }

    @AfterEach
    void noAdvisoryRowIsLeft() {
        database.awaitNoAdvisoryRow();
        database.execute("drop table " + TurnsMain.TABLE);
    }

    private OtherProgram started() {
        return OtherProgram.start(TurnsMain.class, database.url());
    }

    private static void tell(OtherProgram program, Turn turn, Duration time) throws IOException {
        program.tell(turn + " " + time.toMillis());
    }

    private long counter() throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("select n from " + TurnsMain.TABLE)) {
            result.next();
            return result.getLong(1);
        }
    }

    // ---- exclusive ----

    @Test
    void twoPrograms_thatWantOneLockAllTheTime_excludeEachOtherAndHaveEqualShares() throws Exception {
        try (OtherProgram one = started();
                OtherProgram two = started()) {
            assertThat(one.next()).isEqualTo(TurnsMain.READY);
            assertThat(two.next()).isEqualTo(TurnsMain.READY);

            double share = 0;
            for (int attempt = 1; attempt <= ATTEMPTS && !isFair(share); attempt++) {
                long before = counter();
                List<Turns> turns = bothRun(one, two, Turn.COUNT, RUN);
                assertThat(counter() - before).as("counted, of %s", turns).isEqualTo(sum(turns));
                assertThat(turns)
                        .allSatisfy(each -> assertThat(each.longestWait()).isLessThan(LONGEST_WAIT));
                share = (double) turns.get(0).number() / sum(turns);
                LOG.info(
                        "Two programs had {} and {} turns of one lock, {} % and {} %; the longest waits were {} and {} ms",
                        turns.get(0).number(),
                        turns.get(1).number(),
                        Math.round(share * 100),
                        Math.round(100 - share * 100),
                        turns.get(0).longestWait().toMillis(),
                        turns.get(1).longestWait().toMillis());
            }
            assertThat(share).as("one program's share").matches(TwoProgramsTest::isFair);

            // The control: without the lock, the same load loses turns.
            long before = counter();
            List<Turns> unlocked = bothRun(one, two, Turn.COUNT_UNLOCKED, Duration.ofMillis(500));
            assertThat(counter() - before).as("counted, of %s", unlocked).isLessThan(sum(unlocked));
        }
    }

    private static boolean isFair(double share) {
        return share >= 0.4 && share <= 0.6;
    }

    private static List<Turns> bothRun(OtherProgram one, OtherProgram two, Turn turn, Duration time)
            throws IOException, InterruptedException {
        tell(one, turn, time);
        tell(two, turn, time);
        return List.of(Turns.parse(one.next()), Turns.parse(two.next()));
    }

    private static long sum(List<Turns> turns) {
        return turns.stream().mapToLong(Turns::number).sum();
    }

    // ---- shared ----

    @Test
    void programOfOverlappingReaders_letsAWriterOfAnotherInAndGoesOn() throws Exception {
        Duration reading = Duration.ofSeconds(4);
        try (OtherProgram readers = started();
                Locker locker = Locker.create(TurnsMain.APP, database.url())) {
            LockKey key = locker.key(TurnsMain.NAME);
            assertThat(readers.next()).isEqualTo(TurnsMain.READY);
            tell(readers, Turn.READ, reading);
            long start = System.nanoTime();
            awaitReaders(key);
            assertThat(missedTries(locker, key, 100))
                    .as("tries that found readers, of 100: that is how often one who only tries gets in")
                    .isGreaterThan(80);

            long slowest = 0;
            for (int i = 0; i < 5; i++) {
                try (LockHandle writer = locker.exclusive(key).acquire(PATIENCE)) {
                    assertThat(database.rowsOf(key))
                            .filteredOn(row -> row.granted())
                            .singleElement()
                            .satisfies(row -> assertThat(row.mode()).isEqualTo("ExclusiveLock"));
                    slowest = Math.max(slowest, writer.waited().toMillis());
                }
                awaitReaders(key);
            }
            assertThat(System.nanoTime() - start)
                    .as("the readers have read all the time")
                    .isLessThan(reading.toNanos());
            Turns turns = Turns.parse(readers.next());
            assertThat(turns.longestWait()).isLessThan(LONGEST_WAIT);
            LOG.info(
                    "A writer among overlapping readers waited {} ms at the longest of 5 times; a reader, of {} turns, {} ms",
                    slowest,
                    turns.number(),
                    turns.longestWait().toMillis());
        }
    }

    private void awaitReaders(LockKey key) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> database.rowsOf(key).stream()
                        .anyMatch(row -> row.granted() && row.mode().equals("ShareLock")));
    }

    private static int missedTries(Locker locker, LockKey key, int tries) {
        int missed = 0;
        for (int i = 0; i < tries; i++) {
            if (locker.exclusive(key)
                    .tryAcquire()
                    .map(TwoProgramsTest::released)
                    .isEmpty()) {
                missed++;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
        return missed;
    }

    private static boolean released(LockHandle handle) {
        handle.close();
        return true;
    }
}
