package dev.pals.benchmarks.contender;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/** A fair ReentrantLock: no other process knows of it, so it is the limit for first come, first served, not a peer. */
final class LockOfTheJdk implements Contender, Locks {
    private final Map<Integer, ReentrantLock> locks = new ConcurrentHashMap<>();

    @Override
    public Locks locks() {
        return new SharedLocks(this);
    }

    private ReentrantLock lock(int key) {
        return locks.computeIfAbsent(key, ignored -> new ReentrantLock(true));
    }

    @Override
    public boolean tryLocked(int key, Section section) throws Exception {
        if (!lock(key).tryLock()) {
            return false;
        }
        runAndUnlock(key, section);
        return true;
    }

    @Override
    public void locked(int key, Section section) throws Exception {
        lock(key).lock();
        runAndUnlock(key, section);
    }

    private void runAndUnlock(int key, Section section) throws Exception {
        try {
            section.run();
        } finally {
            lock(key).unlock();
        }
    }

    @Override
    public void transaction(int key, Work work) {
        throw new UnsupportedOperationException("it knows of no database");
    }

    @Override
    public void close() {}
}
