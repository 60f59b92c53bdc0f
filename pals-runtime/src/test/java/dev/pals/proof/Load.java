package dev.pals.proof;

import static dev.pals.db.jooq.pals.Tables.FENCE;

import dev.pals.LockRequest;
import dev.pals.jooq.FencingTokens;
import dev.pals.key.LockKey;
import dev.pals.lock.LockException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockMode;
import dev.pals.lock.StaleFencingTokenException;
import dev.pals.proof.Journal.JournalException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** One thread of a worker: it takes a turn after the other, each at random, from its seed. */
final class Load implements Runnable {
    private static final Duration LONGEST_AWAY = Duration.ofSeconds(20);

    private final Worker worker;
    private final String name;
    private final Worker.Task task;
    /** One for each turn, so that a turn is the same whatever became of those before. */
    private final Random seeds;

    private Random random;
    private final Journal journal;
    private final Journal told;
    private final List<LockKey> keys;
    private final AtomicReference<@Nullable Thread> thread = new AtomicReference<>();
    private @Nullable Connection guarded;
    private volatile boolean toRest;
    private volatile boolean resting;
    private volatile boolean inTurn;
    private int turns;
    private int ops;

    Load(Worker worker, String name, Worker.Task task, long seed, Journal told) {
        this.worker = worker;
        this.name = name;
        this.task = task;
        this.seeds = new Random(seed);
        this.random = new Random(seed);
        this.journal = new Journal(task.journalUrl(), task.name());
        this.told = told;
        this.keys = keys(task.keys());
    }

    /** The keys for which all workers compete. */
    static List<LockKey> keys(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> LockKey.of(Worker.APP, "key-" + i))
                .toList();
    }

    String name() {
        return name;
    }

    /** After its turn, whose pauses it cuts short. */
    void rest() {
        toRest = true;
    }

    boolean isResting() {
        return resting;
    }

    void goOn() {
        resting = false;
        toRest = false;
    }

    /** Returns whether it was in a turn: between two it does not mind. */
    boolean interrupt() {
        Thread running = thread.get();
        if (running == null || !inTurn) {
            return false;
        }
        running.interrupt();
        return true;
    }

    @Override
    public void run() {
        thread.set(Thread.currentThread());
        while (true) {
            if (toRest) {
                resting = true;
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
            } else {
                inTurn = true;
                turn();
                inTurn = false;
                pause(random.nextInt(40));
            }
            // Whoever interrupts this thread means its turn.
            var unused = Thread.interrupted();
        }
    }

    /** Also where the thread is interrupted. */
    private static void pause(long millis) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        boolean interrupted = Thread.interrupted();
        for (long rest = end - System.nanoTime(); rest > 0; rest = end - System.nanoTime()) {
            LockSupport.parkNanos(rest);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void turn() {
        random = new Random(seeds.nextLong());
        Step step = task.steps().get(random.nextInt(task.steps().size()));
        String section = name + "#" + turns++;
        try {
            take(step, section);
        } catch (LockException | JournalException | SQLException | DataAccessException e) {
            told.tell(Event.Kind.FAILED, section, step + ": " + e);
        } catch (RuntimeException | Error e) {
            told.tell(
                    Event.Kind.FAILED, section, Worker.UNTYPED + step + ": " + e + " at " + List.of(e.getStackTrace()));
        }
    }

    private void take(Step step, String section) throws JournalException, SQLException {
        List<LockKey> all = new ArrayList<>(keys);
        Collections.shuffle(all, random);
        List<LockKey> some = all.subList(0, Math.min(all.size(), 2 + random.nextInt(2)));
        LockKey one = all.get(0);
        Duration limit = Duration.ofMillis(random.nextInt(1_500));
        switch (step) {
            case EXCLUSIVE -> acquire(section, worker.locker().exclusive(one).waitAtMost(limit), time());
            case KEEP ->
                acquire(section, worker.locker().exclusive(one).waitAtMost(limit), 2_000 + random.nextInt(10_000));
            case TRY -> acquire(section, worker.locker().exclusive(one).waitAtMost(Duration.ZERO), time());
            case SHARED -> acquire(section, worker.locker().shared(one).waitAtMost(limit), time());
            case SEVERAL -> acquire(section, worker.locker().exclusive(some).waitAtMost(limit), time());
            case SEVERAL_SHARED -> acquire(section, worker.locker().shared(some).waitAtMost(limit), time());
            case ASYNC -> acquireAsync(section, worker.locker().exclusive(one).waitAtMost(limit));
            case TRANSACTION ->
                transaction(section, worker.locker().exclusive(one).waitAtMost(limit), one, false);
            case FENCED_TRANSACTION ->
                transaction(
                        section,
                        worker.locker().exclusive(one).waitAtMost(limit).fenced(),
                        one,
                        true);
        }
    }

    /** Mostly short; now and then long enough for a fault to come meanwhile. */
    private int time() {
        int kind = random.nextInt(100);
        return kind < 80 ? random.nextInt(6) : kind < 98 ? random.nextInt(150) : random.nextInt(2_000);
    }

    private void acquire(String section, LockRequest request, int millis) throws JournalException, SQLException {
        long asked = Journal.now();
        LockHandle handle = request.tryAcquire().orElse(null);
        if (handle != null) {
            within(section, handle, asked, millis);
        }
    }

    private void acquireAsync(String section, LockRequest request) throws JournalException, SQLException {
        long asked = Journal.now();
        CompletableFuture<LockHandle> future = request.acquireAsync().toCompletableFuture();
        boolean cancelled = random.nextInt(3) == 0;
        try {
            LockHandle handle = cancelled ? future.get(random.nextInt(50), TimeUnit.MILLISECONDS) : future.get();
            within(section, handle, asked, time());
        } catch (TimeoutException | InterruptedException e) {
            if (!future.cancel(false) && !future.isCompletedExceptionally()) {
                future.join().close();
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof LockException failure) {
                throw failure;
            }
            throw new IllegalStateException(e);
        } catch (CancellationException e) {
            throw new IllegalStateException("Nobody has cancelled it", e);
        }
    }

    private void within(String section, LockHandle handle, long asked, int millis)
            throws JournalException, SQLException {
        LossOf loss = new LossOf(section);
        try {
            handle.onLost(loss::told);
            boolean exclusive = handle.mode() == LockMode.EXCLUSIVE;
            ToLongFunction<LockKey> token = exclusive ? handle::fencingToken : key -> 0;
            journal.note(Event.Kind.ENTERED, section, handle.mode(), handle.keys(), token, asked, "");
            if (exclusive && random.nextInt(10) < 7) {
                write(section, handle, loss);
            }
            pauseUnless(loss::isTold, millis);
            if (exclusive && random.nextInt(10) < 5) {
                write(section, handle, loss);
            }
            if (exclusive && (loss.isTold() || random.nextInt(10) < 6)) {
                if (loss.isTold()) {
                    // As one that does not listen: the fence has to refuse what comes too late.
                    pause(500 + random.nextInt(2_000));
                    reconnect();
                }
                writeFenced(section, handle);
            }
        } finally {
            leave(section, handle);
            close(section, handle, loss);
        }
    }

    /**
     * Also where the server is away, by which the lock is lost: what its holder was told until then is to be judged.
     */
    private void leave(String section, LockHandle handle) {
        long end = System.nanoTime() + LONGEST_AWAY.toNanos();
        while (true) {
            try {
                journal.note(Event.Kind.LEFT, section, handle.mode(), handle.keys(), key -> 0, 0, "");
                return;
            } catch (JournalException e) {
                if (System.nanoTime() - end > 0) {
                    told.tell(Event.Kind.FAILED, section, "leaving: " + e);
                    return;
                }
                pause(50);
            }
        }
    }

    private void close(String section, LockHandle handle, LossOf loss) {
        try {
            handle.close();
        } catch (LockLostException e) {
            if (!loss.isTold()) {
                told.tell(Event.Kind.LOST, section, "when it was closed: " + e.getCause());
            }
        }
    }

    private void pauseUnless(BooleanSupplier lost, int millis) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (!lost.getAsBoolean() && !toRest && end - System.nanoTime() > 0) {
            pause(Math.min(20, Math.max(1, TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime()))));
        }
    }

    /** Whether the section's lock is lost, as far as the library said. */
    private final class LossOf {
        private final String section;
        private volatile boolean isTold;

        LossOf(String section) {
            this.section = section;
        }

        void told(LockLostException lost) {
            told.tell(Event.Kind.LOST, section, "told: " + lost.getCause());
            isTold = true;
        }

        boolean isTold() {
            return isTold;
        }
    }

    /** Not when it knows that the lock is lost. */
    private void write(String section, LockHandle handle, LossOf loss) throws SQLException, JournalException {
        for (LockKey key : handle.keys()) {
            if (!loss.isTold() && handle.isHeld()) {
                String op = op();
                journal.count(guarded(), "counter", section, key, handle.fencingToken(key), op);
                acknowledge(section, key, op);
            }
        }
    }

    private void writeFenced(String section, LockHandle handle) throws SQLException, JournalException {
        String op = op();
        try {
            dsl().transaction(trx -> {
                FencingTokens.check(trx, handle);
                for (LockKey key : handle.keys()) {
                    trx.dsl()
                            .connection(
                                    same -> journal.count(same, "fenced", section, key, handle.fencingToken(key), op));
                }
            });
            acknowledge(section, handle.keys().get(0), op);
        } catch (StaleFencingTokenException e) {
            told.tell(Event.Kind.REFUSED, section, e.toString());
        }
    }

    private void transaction(String section, LockRequest request, LockKey key, boolean fenced)
            throws SQLException, JournalException {
        long asked = Journal.now();
        String op = op();
        try {
            request.transaction(dsl(), trx -> {
                journal.note(Event.Kind.ENTERED, section, LockMode.EXCLUSIVE, List.of(key), any -> 0, asked, "");
                if (fenced) {
                    long shown = trx.dsl()
                            .select(FENCE.TOKEN)
                            .from(FENCE)
                            .where(FENCE.LOCK_HASH.eq(key.lockHash()))
                            .fetchOptional(FENCE.TOKEN)
                            .orElse(0L);
                    trx.dsl().connection(same -> journal.count(same, "fenced", section, key, shown, op));
                } else {
                    if (random.nextInt(20) == 0) {
                        // Long enough for its session to end long before the commit.
                        pauseUnless(() -> false, 3_000 + random.nextInt(1_000));
                    }
                    trx.dsl().connection(same -> journal.count(same, "counter", section, key, 0, op));
                }
                pause(random.nextInt(5));
                // Before the commit: the library alone knows when it releases the lock after it.
                journal.note(Event.Kind.LEFT, section, LockMode.EXCLUSIVE, List.of(key), any -> 0, 0, "");
            });
            acknowledge(section, key, op);
        } catch (LockLostException e) {
            told.tell(Event.Kind.LOST, section, "in a transaction: " + e.getCause());
        } catch (StaleFencingTokenException e) {
            if (!fenced) {
                throw new IllegalStateException("It is not fenced", e);
            }
            told.tell(Event.Kind.REFUSED, section, e.toString());
        }
    }

    private void acknowledge(String section, LockKey key, String op) throws JournalException {
        journal.note(Event.Kind.ACKNOWLEDGED, section, LockMode.EXCLUSIVE, List.of(key), any -> 0, 0, op);
    }

    private String op() {
        return name + "!" + ops++;
    }

    private DSLContext dsl() throws SQLException {
        return DSL.using(guarded(), SQLDialect.POSTGRES);
    }

    /** The server may be another one by now. */
    private void reconnect() throws SQLException {
        if (guarded != null && !guarded.isValid(1)) {
            guarded.close();
        }
    }

    private Connection guarded() throws SQLException {
        Connection open = guarded;
        // The one that failed last has been found closed by its driver.
        if (open == null || open.isClosed()) {
            open = DriverManager.getConnection(task.journalUrl());
            guarded = open;
        }
        return Objects.requireNonNull(open);
    }
}
