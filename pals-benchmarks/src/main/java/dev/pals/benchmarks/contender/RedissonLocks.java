package dev.pals.benchmarks.contender;

import java.util.Objects;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RReadWriteLock;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

/** Redisson's RLock on one Redis, with its watchdog that renews what is held. */
final class RedissonLocks implements Contender, Locks {
    private static final int PATIENCE_MILLIS = 60_000;

    private final RedissonClient client;
    private final Pool pool;

    RedissonLocks(Place place) {
        pool = new Pool(place.url());
        Config config = new Config();
        config.useSingleServer()
                .setAddress(Objects.requireNonNull(place.redis(), "no Redis"))
                // A thousand threads may wait for one lock.
                .setSubscriptionTimeout(PATIENCE_MILLIS);
        client = Redisson.create(config);
    }

    @Override
    public Locks locks() {
        return new SharedLocks(this);
    }

    @Override
    public boolean tryLocked(int key, Section section) throws Exception {
        RLock lock = client.getLock("key " + key);
        if (!lock.tryLock()) {
            return false;
        }
        runAndUnlock(lock, section);
        return true;
    }

    @Override
    public void locked(int key, Section section) throws Exception {
        RLock lock = client.getLock("key " + key);
        lock.lock();
        runAndUnlock(lock, section);
    }

    /** Redisson has readers and writers in another kind of lock. */
    @Override
    public void reading(int key, Section section) throws Exception {
        RLock lock = readWrite(key).readLock();
        lock.lock();
        runAndUnlock(lock, section);
    }

    /** The other side of {@link #reading}. */
    @Override
    public void writing(int key, Section section) throws Exception {
        RLock lock = readWrite(key).writeLock();
        lock.lock();
        runAndUnlock(lock, section);
    }

    private RReadWriteLock readWrite(int key) {
        return client.getReadWriteLock("readers " + key);
    }

    private static void runAndUnlock(RLock lock, Section section) throws Exception {
        try {
            section.run();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void transaction(int key, Work work) throws Exception {
        locked(key, () -> pool.transaction(work));
    }

    @Override
    public void hold(int from, int count) {
        for (int key = from; key < from + count; key++) {
            client.getLock("key " + key).lock();
        }
    }

    @Override
    public void close() {
        client.getKeys().flushdb();
        client.shutdown();
        pool.close();
    }
}
