package dev.pals;

import dev.pals.lock.LockHandle;
import dev.pals.lock.LockInterruptedException;
import dev.pals.lock.WaitPolicy;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A request as a lock of {@code java.util.concurrent}; see {@link LockRequest#asLock()}. */
final class RequestLock implements Lock {
    private final LockRequest forever;
    private final LockRequest once;

    /** Of a thread: where it ends without unlocking, its handle becomes unreachable, and so is released. */
    @SuppressWarnings("ThreadLocalUsage") // A thread may hold several views; unlock() removes the entry.
    private final ThreadLocal<@Nullable LockHandle> held = new ThreadLocal<>();

    RequestLock(LockRequest request) {
        forever = request.waiting(WaitPolicy.forever());
        once = request.waiting(WaitPolicy.none());
    }

    @Override
    public void lock() {
        refuseSecondLock();
        held.set(uninterruptibly(forever::acquire));
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        throwIfInterrupted();
        refuseSecondLock();
        held.set(interruptibly(forever::acquire));
    }

    @Override
    public boolean tryLock() {
        return !isHeldByThisThread() && keep(uninterruptibly(once::tryAcquire));
    }

    @Override
    public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
        throwIfInterrupted();
        Duration limit = Duration.ofNanos(unit.toNanos(Math.max(0, time)));
        return !isHeldByThisThread() && keep(interruptibly(() -> once.tryAcquire(limit)));
    }

    @Override
    public void unlock() {
        LockHandle handle = held.get();
        if (handle == null) {
            throw new IllegalMonitorStateException(
                    Thread.currentThread() + " does not hold " + this + ". Unlock in the thread that locked,"
                            + " once, and through the same Lock: each asLock() returns another.");
        }
        // Before the release, which throws if the lock was lost: then it can be locked again.
        held.remove();
        handle.close();
    }

    @Override
    public Condition newCondition() {
        throw new UnsupportedOperationException("A condition of " + this + " would have to wake threads of other"
                + " programs, and PostgreSQL's advisory locks carry no signals.");
    }

    private boolean isHeldByThisThread() {
        return held.get() != null;
    }

    private void refuseSecondLock() {
        if (isHeldByThisThread()) {
            throw new IllegalStateException(Thread.currentThread() + " has locked " + this
                    + " already. It is not reentrant, so the thread would wait for itself for ever: unlock() first.");
        }
    }

    private boolean keep(Optional<LockHandle> handle) {
        handle.ifPresent(held::set);
        return handle.isPresent();
    }

    private static void throwIfInterrupted() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    private static <T> T interruptibly(Supplier<T> request) throws InterruptedException {
        try {
            return request.get();
        } catch (LockInterruptedException e) {
            // The flag is set, and InterruptedException comes without it.
            Thread.interrupted();
            throw (InterruptedException) new InterruptedException(e.getMessage()).initCause(e);
        }
    }

    private static <T> T uninterruptibly(Supplier<T> request) {
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                try {
                    return request.get();
                } catch (LockInterruptedException e) {
                    // The flag is set; with it the next request would end as this one did.
                    interrupted |= Thread.interrupted();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public String toString() {
        return "the Lock of " + forever;
    }
}
