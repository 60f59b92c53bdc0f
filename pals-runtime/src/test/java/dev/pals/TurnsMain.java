package dev.pals;

import static dev.pals.OtherProgram.say;

import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * A program whose threads take turns at one lock. It is told what they do and for how long, such as {@code COUNT 2000},
 * and then says how often they did it, and how many microseconds one of them has waited at the longest.
 */
final class TurnsMain {
    static final String APP = "turns";
    static final String NAME = "shared-with-another-program";
    static final String READY = "ready";
    static final String TABLE = "turns";

    private static final int THREADS = 4;
    private static final long READING_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    /** What its threads do in each turn. */
    enum Turn {
        /** Adds one to the counter, under the lock. */
        COUNT,
        /** Adds one to the counter, without the lock. */
        COUNT_UNLOCKED,
        /** Has the shared lock for a while. */
        READ
    }

    /** What it says. */
    record Turns(long number, Duration longestWait) {
        static Turns parse(String line) {
            String[] words = line.split(" ", -1);
            return new Turns(Long.parseLong(words[0]), Duration.ofNanos(Long.parseLong(words[1]) * 1_000));
        }

        String line() {
            return number + " " + TimeUnit.NANOSECONDS.toMicros(longestWait.toNanos());
        }
    }

    private final Locker locker;
    private final List<Counter> counters = new ArrayList<>();
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

    private TurnsMain(String url) throws SQLException {
        locker = Locker.create(APP, url);
        for (int i = 0; i < THREADS; i++) {
            counters.add(new Counter(DriverManager.getConnection(url)));
        }
    }

    public static void main(String[] args) throws Exception {
        TurnsMain program = new TurnsMain(OtherProgram.url());
        program.warmUp();
        say(READY);
        while (true) {
            String[] words = OtherProgram.heard().split(" ", -1);
            try {
                Turn turn = Turn.valueOf(words[0].toUpperCase(Locale.ROOT));
                say(program.run(turn, Duration.ofMillis(Long.parseLong(words[1])))
                        .line());
            } catch (Exception e) {
                say("failed: " + e);
                Runtime.getRuntime().halt(1);
            }
        }
    }

    private void warmUp() {
        for (int i = 0; i < 1_000; i++) {
            locker.exclusive(locker.key("warm-up")).tryAcquire().ifPresent(LockHandle::close);
        }
    }

    private Turns run(Turn turn, Duration time) throws Exception {
        LongAdder turns = new LongAdder();
        AtomicLong longest = new AtomicLong();
        long end = System.nanoTime() + time.toNanos();
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int thread = i;
            running.add(threads.submit(() -> {
                // Those that read are never all between two turns.
                LockSupport.parkNanos(READING_NANOS / THREADS * thread);
                while (System.nanoTime() < end) {
                    long waited = take(turn, counters.get(thread));
                    longest.accumulateAndGet(waited, Math::max);
                    turns.increment();
                }
                return null;
            }));
        }
        for (Future<?> each : running) {
            each.get();
        }
        return new Turns(turns.sum(), Duration.ofNanos(longest.get()));
    }

    /** Returns how many nanoseconds it waited. */
    private long take(Turn turn, Counter counter) throws SQLException {
        LockKey key = locker.key(NAME);
        return switch (turn) {
            case COUNT -> {
                try (LockHandle handle = locker.exclusive(key).acquire()) {
                    counter.addOne();
                    yield handle.waited().toNanos();
                }
            }
            case COUNT_UNLOCKED -> {
                counter.addOne();
                yield 0;
            }
            case READ -> {
                try (LockHandle handle = locker.shared(key).acquire()) {
                    LockSupport.parkNanos(READING_NANOS);
                    yield handle.waited().toNanos();
                }
            }
        };
    }

    /** Reads, computes and writes: two of them at a time lose a turn. */
    private static final class Counter {
        private final PreparedStatement read;
        private final PreparedStatement write;

        Counter(Connection connection) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                statement.execute("set synchronous_commit = off");
            }
            read = connection.prepareStatement("select n from " + TABLE);
            write = connection.prepareStatement("update " + TABLE + " set n = ?");
        }

        void addOne() throws SQLException {
            long n;
            try (ResultSet result = read.executeQuery()) {
                result.next();
                n = result.getLong(1);
            }
            write.setLong(1, n + 1);
            write.executeUpdate();
        }
    }
}
