package dev.pals.benchmarks.contender;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import javax.sql.DataSource;
import net.javacrumbs.shedlock.core.ClockProvider;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.LockProvider;
import net.javacrumbs.shedlock.core.SimpleLock;

/** ShedLock: a row for each lock. It only tries, by design, so it is in no load where threads wait. */
final class ShedLock implements Contender, Locks {
    private static final Duration AT_MOST = Duration.ofMinutes(10);

    private final Pool pool;
    private final LockProvider provider;
    private final List<SimpleLock> held = Collections.synchronizedList(new ArrayList<>());

    ShedLock(Place place, Function<DataSource, LockProvider> provider) {
        pool = new Pool(place.url());
        this.provider = provider.apply(pool.connections());
    }

    @Override
    public Locks locks() {
        return new SharedLocks(this);
    }

    private Optional<SimpleLock> tryLock(int key) {
        return provider.lock(new LockConfiguration(ClockProvider.now(), "key " + key, AT_MOST, Duration.ZERO));
    }

    @Override
    public boolean tryLocked(int key, Section section) throws Exception {
        Optional<SimpleLock> lock = tryLock(key);
        if (lock.isEmpty()) {
            return false;
        }
        try {
            section.run();
        } finally {
            lock.get().unlock();
        }
        return true;
    }

    @Override
    public void locked(int key, Section section) {
        throw new UnsupportedOperationException("ShedLock does not wait");
    }

    @Override
    public void transaction(int key, Work work) {
        throw new UnsupportedOperationException("ShedLock does not wait");
    }

    @Override
    public void hold(int from, int count) {
        for (int key = from; key < from + count; key++) {
            held.add(tryLock(key).orElseThrow());
        }
    }

    /** The rows of what is held end with the turn. */
    @Override
    public void close() {
        pool.close();
    }
}
