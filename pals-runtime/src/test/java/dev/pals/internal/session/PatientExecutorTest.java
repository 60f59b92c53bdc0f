package dev.pals.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Work waits for a thread, and is done once. */
final class PatientExecutorTest {
    private static final int FOR_EVER = Integer.MAX_VALUE;

    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private final CountDownLatch isDone = new CountDownLatch(1);
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
    private final ThreadPoolExecutor pool =
            new ThreadPoolExecutor(2, 2, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), this::thread);
    private final PatientExecutor executor = new PatientExecutor(pool, timer);

    @AfterEach
    void stop() {
        timer.shutdownNow();
        pool.shutdownNow();
    }

    private Thread thread(Runnable work) {
        if (refused.getAndDecrement() > 0) {
            throw new OutOfMemoryError("unable to create native thread");
        }
        return new Thread(work);
    }

    @Test
    void execute_threadIsRefused_runsOnceThereIsOne() throws InterruptedException {
        refused.set(3);
        executor.execute(this::work);

        assertDoneOnce();
        assertThat(refused).hasValue(-1);
    }

    @Test
    void execute_threadIsRefusedWhileAnotherIsIdle_runsOnThatOne() throws InterruptedException {
        executor.execute(() -> {});
        refused.set(FOR_EVER);
        executor.execute(this::work);

        assertDoneOnce();
    }

    @Test
    void close_workHasHadNoThread_runsIt() throws InterruptedException {
        refused.set(FOR_EVER);
        executor.execute(this::work);
        timer.shutdownNow();
        pool.shutdown();
        executor.close();

        assertDoneOnce();
    }

    @Test
    void execute_threadIsRefusedAfterTheTimerHasEnded_runsItHere() throws InterruptedException {
        timer.shutdownNow();
        refused.set(FOR_EVER);
        executor.execute(this::work);

        assertDoneOnce();
    }

    @Test
    void execute_poolIsShutDown_isRejected() {
        pool.shutdown();

        assertThatThrownBy(() -> executor.execute(this::work)).isInstanceOf(RejectedExecutionException.class);
        assertThat(done).hasValue(0);
    }

    private void work() {
        done.incrementAndGet();
        isDone.countDown();
    }

    private void assertDoneOnce() throws InterruptedException {
        assertThat(isDone.await(1, TimeUnit.MINUTES)).isTrue();
        // Whatever is still to be tried again.
        timer.shutdown();
        assertThat(timer.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        pool.shutdown();
        assertThat(pool.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        assertThat(done).hasValue(1);
    }
}
