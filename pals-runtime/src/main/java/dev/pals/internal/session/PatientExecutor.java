package dev.pals.internal.session;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs work on the threads of a pool; where the operating system has none to give, as soon as it has. Otherwise one
 * moment without would leave whoever waits for this work, and all requests behind it, waiting for ever.
 */
final class PatientExecutor implements Executor {
    private static final Logger LOG = LoggerFactory.getLogger(PatientExecutor.class);
    private static final long AGAIN_MILLIS = 50;

    private final ThreadPoolExecutor pool;
    private final ScheduledExecutorService timer;
    private final Set<Work> late = ConcurrentHashMap.newKeySet();

    /**
     * Makes one.
     *
     * @param timer has its thread already
     */
    PatientExecutor(ThreadPoolExecutor pool, ScheduledExecutorService timer) {
        this.pool = pool;
        this.timer = timer;
    }

    /** Runs the work once; throws {@link RejectedExecutionException} where the pool is shut down. */
    @Override
    public void execute(Runnable task) {
        Work work = new Work(task);
        try {
            pool.execute(work);
        } catch (OutOfMemoryError e) {
            LOG.warn("There is no thread to be had ({}); what it is for is tried again and again", e.getMessage());
            late.add(work);
            // For a thread of the pool that has nothing to do, if there is one.
            var unused = pool.getQueue().offer(work);
            tryLater(work);
        }
    }

    private void tryLater(Work work) {
        try {
            var unused = timer.schedule(() -> tryAgain(work), AGAIN_MILLIS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            work.run();
        }
    }

    private void tryAgain(Work work) {
        try {
            pool.execute(work);
        } catch (OutOfMemoryError e) {
            tryLater(work);
        } catch (RejectedExecutionException e) {
            work.run();
        }
    }

    /**
     * Runs here what has had no thread yet, which is to find that the locker is closed. The timer and the pool are shut
     * down before.
     */
    void close() {
        late.forEach(Work::run);
    }

    /** Done once, however often it is run: a pool may queue work and then find no thread for it. */
    private final class Work implements Runnable {
        private final AtomicBoolean begun = new AtomicBoolean();
        private final Runnable task;

        Work(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (begun.compareAndSet(false, true)) {
                if (late.remove(this)) {
                    pool.remove(this);
                }
                task.run();
            }
        }
    }
}
