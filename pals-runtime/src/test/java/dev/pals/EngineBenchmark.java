package dev.pals;

import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.WaitPolicy;
import java.io.PrintStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;

/**
 * The engine's speed against raw JDBC's and against a lock of the JDK's, as ratios in one run. Each contestant of a
 * load runs in turn, again and again, so that a noisy machine disturbs all alike.
 *
 * <pre>{@code
 * mvn -pl db/server,db,pals-runtime -DskipTests package exec:exec@engine-benchmark -Dbenchmark.args="many rounds=11"
 * }</pre>
 *
 * <p>Arguments: the loads (single, many, hot, beside; all by default), {@code rounds=N}, {@code millis=N} for each
 * turn.
 */
final class EngineBenchmark {
    private static final PrintStream OUT = System.out;

    private final AtomicLong inside = new AtomicLong();
    private final String url;
    private final int rounds;
    private final long millis;

    private EngineBenchmark(String url, int rounds, long millis) {
        this.url = url;
        this.rounds = rounds;
        this.millis = millis;
    }

    public static void main(String[] args) throws Exception {
        List<String> loads =
                Arrays.stream(args).filter(arg -> !arg.contains("=")).toList();
        try (PostgresServer server = PostgresServer.start();
                ScratchDatabase database = server.newDatabase()) {
            EngineBenchmark benchmark =
                    new EngineBenchmark(database.url(), option(args, "rounds", 7), option(args, "millis", 1500));
            if (loads.isEmpty() || loads.contains("single")) {
                benchmark.single();
            }
            if (loads.isEmpty() || loads.contains("many")) {
                benchmark.many();
            }
            if (loads.isEmpty() || loads.contains("hot")) {
                benchmark.hot();
            }
            if (loads.isEmpty() || loads.contains("beside")) {
                benchmark.beside();
            }
        }
    }

    private static int option(String[] args, String name, int otherwise) {
        return Arrays.stream(args)
                .filter(arg -> arg.startsWith(name + "="))
                .mapToInt(arg -> Integer.parseInt(arg.substring(name.length() + 1)))
                .findFirst()
                .orElse(otherwise);
    }

    // ---- loads ----

    /** One thread takes and frees its own lock. */
    private void single() throws Exception {
        try (Workers raw = held(1);
                Workers ours = locked(1, 2, true)) {
            compare("one thread, its own key", raw, ours);
        }
    }

    /** 64 threads, each its own lock. */
    private void many() throws Exception {
        try (Workers raw = held(64);
                Workers four = locked(64, 4, true);
                Workers one = locked(64, 1, true)) {
            compare("64 threads, each its own key", raw, four, one);
        }
    }

    /** One thread's cycle beside 10,000 locks that the same locker holds. */
    private void beside() throws Exception {
        try (Workers empty = locked(1, 2, true);
                Workers full = beside(10_000)) {
            compare("one thread beside many held locks", empty, full);
        }
    }

    private Workers beside(int held) throws SQLException {
        Locker locker = Locker.builder("benchmark")
                .url(url)
                .maxSessions(24)
                .lockBudget(held + 1)
                .build();
        // The locker would release those that nobody refers to.
        List<LockHandle> kept = new ArrayList<>();
        for (int from = 0; from < held; from += 100) {
            List<LockKey> keys = IntStream.range(from, from + 100)
                    .mapToObj(i -> locker.key("held " + i))
                    .toList();
            kept.add(locker.exclusive(keys).acquire());
        }
        Workers workers = new Workers("PALs holding " + held + " locks", 1, thread -> {
            LockRequest request = locker.exclusive(locker.key("beside")).waiting(WaitPolicy.none());
            return () -> {
                try (LockHandle ignored = request.acquire()) {
                    inside.addAndGet(kept.size());
                }
            };
        });
        workers.closeAfter(locker);
        return workers;
    }

    /** Eight threads want one lock. */
    private void hot() throws Exception {
        ReentrantLock fair = new ReentrantLock(true);
        try (Workers blocked = blocked(8);
                Workers ours = locked(8, 2, false);
                Workers jdk = new Workers("ReentrantLock(true)", 8, thread -> () -> {
                    fair.lock();
                    try {
                        inside.incrementAndGet();
                    } finally {
                        fair.unlock();
                    }
                })) {
            compare("8 threads, one key", blocked, ours, jdk);
        }
    }

    // ---- contestants ----

    private Workers held(int threads) throws SQLException {
        return new Workers("raw JDBC, a held connection for each of " + threads, threads, thread -> {
            Connection connection = DriverManager.getConnection(url);
            PreparedStatement lock = connection.prepareStatement("select pg_try_advisory_lock(?)");
            PreparedStatement unlock = connection.prepareStatement("select pg_advisory_unlock(?)");
            return closing(connection, () -> {
                ask(lock, thread);
                ask(unlock, thread);
            });
        });
    }

    private Workers blocked(int threads) throws SQLException {
        return new Workers("raw JDBC, " + threads + " connections blocked in pg_advisory_lock", threads, thread -> {
            Connection connection = DriverManager.getConnection(url);
            PreparedStatement lock = connection.prepareStatement("select pg_advisory_lock(?)");
            PreparedStatement unlock = connection.prepareStatement("select pg_advisory_unlock(?)");
            return closing(connection, () -> {
                ask(lock, 1_000);
                ask(unlock, 1_000);
            });
        });
    }

    private Workers locked(int threads, int sessions, boolean ownKeys) throws SQLException {
        Locker locker = Locker.builder("benchmark")
                .url(url)
                .sessions(sessions)
                .maxSessions(sessions + 2)
                .build();
        Workers workers = new Workers("PALs, " + sessions + " sessions", threads, thread -> {
            LockKey key = locker.key("key " + (ownKeys ? thread : 0));
            LockRequest request = locker.exclusive(key).waiting(ownKeys ? WaitPolicy.none() : WaitPolicy.forever());
            return () -> {
                try (LockHandle ignored = request.acquire()) {
                    // nothing
                }
            };
        });
        workers.closeAfter(locker);
        return workers;
    }

    private static void ask(PreparedStatement statement, long key) throws SQLException {
        statement.setLong(1, key);
        try (ResultSet result = statement.executeQuery()) {
            result.next();
        }
    }

    private static Cycle closing(Connection connection, Step step) {
        return new Cycle() {
            @Override
            public void run() throws Exception {
                step.run();
            }

            @Override
            public void close() throws SQLException {
                connection.close();
            }
        };
    }

    private interface Step {
        void run() throws Exception;
    }

    private interface Cycle extends AutoCloseable {
        void run() throws Exception;

        @Override
        default void close() throws SQLException {}
    }

    private interface CycleSource {
        Cycle of(int thread) throws SQLException;
    }

    // ---- measuring ----

    private void compare(String load, Workers... contestants) throws Exception {
        double[][] rates = new double[contestants.length][rounds];
        for (Workers workers : contestants) {
            workers.run(millis * 2);
        }
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < contestants.length; i++) {
                rates[i][round] = contestants[i].run(millis);
            }
        }
        OUT.printf(Locale.ROOT, "%n%s: cycles a second, %d rounds of %d ms%n", load, rounds, millis);
        for (int i = 0; i < contestants.length; i++) {
            OUT.printf(Locale.ROOT, "  %-60s %9.0f", contestants[i].name, median(rates[i]));
            for (int other = 0; other < contestants.length; other++) {
                if (other != i && i == 1) {
                    OUT.printf(Locale.ROOT, "  / [%d] %s", other, spread(rates[i], rates[other]));
                } else if (other == 0 && i > 1) {
                    OUT.printf(Locale.ROOT, "  / [0] %s", spread(rates[i], rates[0]));
                }
            }
            OUT.println();
        }
    }

    /** The ratio of two contestants in the same round: median, and from the least to the greatest. */
    private static String spread(double[] some, double[] others) {
        double[] ratios = new double[some.length];
        Arrays.setAll(ratios, i -> some[i] / others[i]);
        return String.format(
                Locale.ROOT,
                "%.2f (%.2f to %.2f)",
                median(ratios),
                Arrays.stream(ratios).min().orElse(0),
                Arrays.stream(ratios).max().orElse(0));
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** Threads that repeat a cycle each. */
    private static final class Workers implements AutoCloseable {
        private final String name;
        private final List<Cycle> cycles = new ArrayList<>();
        private final List<Locker> lockers = new ArrayList<>();

        Workers(String name, int threads, CycleSource source) throws SQLException {
            this.name = name;
            for (int thread = 0; thread < threads; thread++) {
                cycles.add(source.of(thread));
            }
        }

        void closeAfter(Locker locker) {
            lockers.add(locker);
        }

        /** Cycles a second. */
        double run(long millis) throws Exception {
            AtomicBoolean stop = new AtomicBoolean();
            CountDownLatch start = new CountDownLatch(1);
            long[] counts = new long[cycles.size()];
            List<Exception> failures = new ArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < cycles.size(); i++) {
                int index = i;
                Thread thread = new Thread(() -> {
                    try {
                        start.await();
                        long count = 0;
                        while (!stop.get()) {
                            cycles.get(index).run();
                            count++;
                        }
                        counts[index] = count;
                    } catch (Exception e) {
                        synchronized (failures) {
                            failures.add(e);
                        }
                    }
                });
                threads.add(thread);
                thread.start();
            }
            long from = System.nanoTime();
            start.countDown();
            Thread.sleep(millis);
            stop.set(true);
            for (Thread thread : threads) {
                thread.join(TimeUnit.SECONDS.toMillis(60));
            }
            double seconds = (System.nanoTime() - from) / 1e9;
            if (!failures.isEmpty()) {
                throw failures.get(0);
            }
            return Arrays.stream(counts).sum() / seconds;
        }

        @Override
        public void close() throws SQLException {
            for (Cycle cycle : cycles) {
                cycle.close();
            }
            lockers.forEach(Locker::close);
        }
    }
}
