package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Locks;
import dev.pals.benchmarks.load.Load;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;

/** The threads of a load in this process: each repeats its cycle until the time is over. */
final class Threads {
    private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(10);
    private static final int PRECISION = 2;
    private static final long PATIENCE_MILLIS = 60_000;
    private static final long NONE = Long.MAX_VALUE;

    private final List<Cycle> cycles = new ArrayList<>();
    private final boolean virtual;

    private final ConcurrentLinkedQueue<Exception> failures = new ConcurrentLinkedQueue<>();
    /** What they have allocated that have come to their end. */
    private final LongAdder ended = new LongAdder();

    private volatile Phase phase = Phase.WARM;

    private enum Phase {
        WARM,
        MEASURED,
        OVER
    }

    Threads(Load load, int process, List<Locks> locks, Counters counters) {
        this.virtual = load.virtual();
        AtomicInteger writers = new AtomicInteger();
        for (int thread = 0; thread < locks.size(); thread++) {
            cycles.add(new Cycle(load, locks.get(thread), load.keys().of(process, thread), counters, writers));
        }
    }

    Answer.Ran run(long warmMillis, long millis) throws Exception {
        CountDownLatch start = new CountDownLatch(1);
        long[] measured = new long[cycles.size()];
        long[] all = new long[cycles.size()];
        long[] cutOff = new long[cycles.size()];
        Arrays.fill(cutOff, NONE);
        List<Thread> threads = new ArrayList<>();
        List<Histogram> histograms = new ArrayList<>();
        ThreadFactory factory = virtual ? virtualThreads() : Thread::new;
        for (int i = 0; i < cycles.size(); i++) {
            int index = i;
            Histogram histogram = new Histogram(LONGEST_NANOS, PRECISION);
            histograms.add(histogram);
            threads.add(factory.newThread(() -> repeat(index, start, histogram, measured, all, cutOff)));
        }
        threads.forEach(Thread::start);
        AllocatedBytes allocated = new AllocatedBytes();
        long processor = processorNanos();
        start.countDown();
        Thread.sleep(warmMillis);
        long from = System.nanoTime();
        phase = Phase.MEASURED;
        Thread.sleep(millis);
        phase = Phase.OVER;
        long until = System.nanoTime();
        double seconds = (until - from) / 1e9;
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        for (Thread thread : threads) {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
            if (thread.isAlive()) {
                throw new IllegalStateException("a thread has not come to its end within a minute");
            }
        }
        processor = processorNanos() - processor;
        long bytes = virtual ? 0 : allocated.soFar() + ended.sum();
        Exception failure = failures.poll();
        if (failure != null) {
            throw failure;
        }
        Histogram sum = new Histogram(LONGEST_NANOS, PRECISION);
        histograms.forEach(sum::add);
        addCutOff(cutOff, until, sum);
        long sections = cycles.stream().mapToLong(Cycle::sections).sum();
        return new Answer.Ran(total(measured), total(all), sections, seconds, processor, bytes, sum);
    }

    /**
     * Adds the waits of cycles that the end has cut off, with the time so far where the lock was not had by then: those
     * of threads that starve would not be seen otherwise.
     */
    private void addCutOff(long[] began, long until, Histogram waits) {
        for (int index = 0; index < began.length; index++) {
            if (began[index] < until) {
                waits.recordValue(Math.min(cycles.get(index).enteredAt(), until) - began[index]);
            }
        }
    }

    /** Leaves in {@code cutOff} when the cycle has begun that ends too late to count. */
    private void repeat(int index, CountDownLatch start, Histogram waits, long[] measured, long[] all, long[] cutOff) {
        Cycle cycle = cycles.get(index);
        long uncounted = 0;
        long during = 0;
        try {
            start.await();
            while (phase != Phase.OVER) {
                long began = System.nanoTime();
                cycle.run();
                // What ends within the time counts, whenever it began.
                switch (phase) {
                    case WARM -> uncounted++;
                    case MEASURED -> {
                        waits.recordValue(cycle.enteredAt() - began);
                        during++;
                    }
                    case OVER -> {
                        cutOff[index] = began;
                        uncounted++;
                    }
                }
            }
        } catch (Exception e) {
            failures.add(e);
        }
        ended.add(AllocatedBytes.ofThisThread());
        measured[index] = during;
        all[index] = uncounted + during;
    }

    static ThreadFactory virtualThreads() {
        try {
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            return (ThreadFactory) Class.forName("java.lang.Thread$Builder")
                    .getMethod("factory")
                    .invoke(builder);
        } catch (NoSuchMethodException | ClassNotFoundException e) {
            throw new IllegalStateException("virtual threads need JDK 21", e);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(e);
        }
    }

    private static long processorNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static long total(long[] counts) {
        long sum = 0;
        for (long count : counts) {
            sum += count;
        }
        return sum;
    }
}
