package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Contender;
import dev.pals.benchmarks.contender.Locks;
import java.io.EOFException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The main class of a worker process: it does what it reads on its standard input until that ends. */
final class Worker {
    /** Where locks begin that are held beside a load. */
    private static final int HELD_FROM = 1_000_000;

    /** A key that no load uses. */
    private static final int FIRST = -1;

    private static final int SETTLE_MILLIS = 1_500;
    private static final long PATIENCE_SECONDS = 60;

    private final List<Locks> locks = new ArrayList<>();
    private @Nullable Contender contender;
    private @Nullable Threads threads;
    private @Nullable Waiters waiters;
    private @Nullable CountDownLatch left;

    private Worker() {}

    public static void main(String[] args) throws IOException, ClassNotFoundException {
        PrintStream answers = System.out;
        // Whatever a library prints is not an answer.
        System.setOut(System.err);
        Worker worker = new Worker();
        ObjectOutputStream out = new ObjectOutputStream(answers);
        out.flush();
        ObjectInputStream in = new ObjectInputStream(System.in);
        int status = 1;
        try {
            while (in.readObject() instanceof Command command) {
                out.writeObject(worker.answer(command));
                out.flush();
                out.reset();
            }
            status = 0;
        } catch (EOFException e) {
            System.err.println("A worker ends, since who gave it work is gone.");
        } finally {
            // Also when threads of a contender are left.
            System.exit(status);
        }
    }

    private Answer answer(Command command) {
        try {
            if (command instanceof Command.Open open) {
                return open(open);
            } else if (command instanceof Command.Run run) {
                Thread.sleep(Math.max(0, run.startMillis() - System.currentTimeMillis()));
                return Objects.requireNonNull(threads, "not open").run(run.warmMillis(), run.millis());
            } else if (command instanceof Command.Hold hold) {
                opened().hold(hold.from(), hold.count());
            } else if (command instanceof Command.Listen) {
                left = opened().untilAllAreLost();
            } else if (command instanceof Command.AwaitLoss) {
                CountDownLatch unknown = Objects.requireNonNull(left, "nobody listens");
                if (!unknown.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    throw new IllegalStateException(
                            unknown.getCount() + " are not known to be lost after " + PATIENCE_SECONDS + " s");
                }
            } else if (command instanceof Command.Wait wait) {
                waiters = new Waiters(opened(), wait);
            } else if (command instanceof Command.EndWait) {
                Objects.requireNonNull(waiters, "nobody waits").end();
            } else if (command instanceof Command.Weigh) {
                return new Answer.Weight(heapInUse());
            } else {
                close();
            }
            return new Answer.Done();
        } catch (Exception | LinkageError e) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            return new Answer.Failed(trace.toString());
        }
    }

    private Contender opened() {
        return Objects.requireNonNull(contender, "not open");
    }

    private Answer open(Command.Open open) throws Exception {
        long from = System.nanoTime();
        Contender opened = open.contestant().open(open.place());
        contender = opened;
        try (Locks first = opened.locks()) {
            first.tryLocked(FIRST - open.process(), () -> {});
        }
        long opening = System.nanoTime() - from;
        for (int thread = 0; thread < open.load().threadsOf(open.process()); thread++) {
            locks.add(opened.locks());
        }
        if (open.load().held() > 0) {
            opened.hold(HELD_FROM * (open.process() + 1), open.load().held());
        }
        threads = new Threads(open.load(), open.process(), locks, Counters.of(open.counters()));
        return new Answer.Opened(opening);
    }

    private void close() throws Exception {
        threads = null;
        waiters = null;
        left = null;
        Contender opened = opened();
        contender = null;
        for (Locks each : locks) {
            each.close();
        }
        locks.clear();
        opened.close();
    }

    /** Twice, since what the first collection finds may have finalizers or cleaners. */
    private static long heapInUse() throws InterruptedException {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        memory.gc();
        Thread.sleep(100);
        memory.gc();
        return memory.getHeapMemoryUsage().getUsed();
    }

    /** Threads that wait for key 0, which another thread has. */
    private static final class Waiters {
        private final CountDownLatch mayEnd = new CountDownLatch(1);
        private final List<Thread> threads = new ArrayList<>();
        private final ConcurrentLinkedQueue<Exception> failures = new ConcurrentLinkedQueue<>();

        Waiters(Contender contender, Command.Wait wait) throws Exception {
            if (wait.first()) {
                CountDownLatch held = new CountDownLatch(1);
                start(contender, () -> {
                    held.countDown();
                    mayEnd.await();
                });
                if (!held.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    throw new IllegalStateException("the lock was not to be had");
                }
            }
            for (int i = 0; i < wait.count(); i++) {
                start(contender, () -> {});
            }
            // Long enough for all to have asked.
            Thread.sleep(SETTLE_MILLIS);
        }

        private void start(Contender contender, Locks.Section section) throws Exception {
            Locks locks = contender.locks();
            Thread thread = new Thread(() -> {
                try (locks) {
                    locks.locked(0, section);
                } catch (Exception e) {
                    failures.add(e);
                }
            });
            threads.add(thread);
            thread.start();
        }

        void end() throws Exception {
            mayEnd.countDown();
            for (Thread thread : threads) {
                thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
            }
            Exception failure = failures.poll();
            if (failure != null) {
                throw failure;
            }
        }
    }
}
