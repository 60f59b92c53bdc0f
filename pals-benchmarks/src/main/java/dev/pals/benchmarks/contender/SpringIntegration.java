package dev.pals.benchmarks.contender;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.Lock;
import org.springframework.integration.jdbc.lock.DefaultLockRepository;
import org.springframework.integration.jdbc.lock.JdbcLockRegistry;
import org.springframework.jdbc.support.JdbcTransactionManager;

/**
 * Spring Integration's JdbcLockRegistry: a row for each lock; who waits tries again every 100 ms, as is its default.
 */
final class SpringIntegration implements Contender, Locks {
    private final Pool pool;
    private final JdbcLockRegistry registry;
    private final List<Lock> held = Collections.synchronizedList(new ArrayList<>());

    SpringIntegration(Place place) {
        pool = new Pool(place.url());
        DefaultLockRepository repository = new DefaultLockRepository(pool.connections());
        repository.setTransactionManager(new JdbcTransactionManager(pool.connections()));
        repository.afterPropertiesSet();
        repository.afterSingletonsInstantiated();
        registry = new JdbcLockRegistry(repository);
    }

    @Override
    public Locks locks() {
        return new SharedLocks(this);
    }

    @Override
    public boolean tryLocked(int key, Section section) throws Exception {
        Lock lock = registry.obtain("key " + key);
        if (!lock.tryLock()) {
            return false;
        }
        try {
            section.run();
        } finally {
            lock.unlock();
        }
        return true;
    }

    @Override
    public void locked(int key, Section section) throws Exception {
        Lock lock = registry.obtain("key " + key);
        lock.lock();
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
    public void hold(int from, int count) throws InterruptedException {
        for (int key = from; key < from + count; key++) {
            Lock lock = registry.obtain("key " + key);
            if (!lock.tryLock()) {
                throw new IllegalStateException("key " + key + " is not free");
            }
            held.add(lock);
        }
    }

    /** The locks held belong to the thread that took them; their rows end with the turn. */
    @Override
    public void close() {
        pool.close();
    }
}
