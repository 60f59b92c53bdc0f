package dev.pals.benchmarks.contender;

import dev.pals.LockRequest;
import dev.pals.Locker;
import dev.pals.key.LockFamily;
import dev.pals.lock.LockHandle;
import dev.pals.lock.WaitPolicy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.jooq.DSLContext;

/** This library's Locker, on so many shared sessions. */
final class PalsSessions implements Contender, Locks {
    private static final LockFamily<Integer> KEY = LockFamily.byInteger("benchmark", "key");
    private static final int SOME = 1_000;
    private static final int SESSIONS_FOR_MANY = 24;
    private static final int MORE = 1_000;

    private final Locker locker;
    private final Pool pool;
    private final DSLContext dsl;
    /** The locker would release those that nobody refers to. */
    private final List<LockHandle> held = Collections.synchronizedList(new ArrayList<>());

    private volatile boolean lossExpected;

    PalsSessions(Place place, int sessions) {
        var settings = Locker.builder("benchmark").url(place.url()).sessions(sessions);
        if (place.held() > SOME) {
            settings.maxSessions(SESSIONS_FOR_MANY).lockBudget(place.held() + MORE);
        }
        locker = settings.build();
        pool = new Pool(place.url());
        dsl = PlainJooq.jooq(pool);
    }

    /** What is not as it comes, for people. */
    static String settings() {
        return String.format(
                Locale.ROOT,
                "sessions(1), (2) and (4), all else by default; where more than %,d locks are held, maxSessions(%d) and a"
                        + " lockBudget of %,d more than all lockers hold together",
                SOME,
                SESSIONS_FOR_MANY,
                MORE);
    }

    @Override
    public Locks locks() {
        return new SharedLocks(this);
    }

    @Override
    public boolean tryLocked(int key, Section section) throws Exception {
        Optional<LockHandle> lock = locker.exclusive(KEY.of(key)).tryAcquire();
        if (lock.isEmpty()) {
            return false;
        }
        try (LockHandle ignored = lock.get()) {
            section.run();
        }
        return true;
    }

    @Override
    public void locked(int key, Section section) throws Exception {
        waiting(locker.exclusive(KEY.of(key))).run(section::run);
    }

    @Override
    public void reading(int key, Section section) throws Exception {
        waiting(locker.shared(KEY.of(key))).run(section::run);
    }

    private static LockRequest waiting(LockRequest request) {
        return request.waiting(WaitPolicy.forever());
    }

    @Override
    public void transaction(int key, Work work) {
        waiting(locker.exclusive(KEY.of(key))).transaction(dsl, trx -> trx.dsl().connection(work::in));
    }

    @Override
    public void hold(int from, int count) {
        for (int key = from; key < from + count; key++) {
            held.add(locker.exclusive(KEY.of(key)).acquire());
        }
    }

    @Override
    public CountDownLatch untilAllAreLost() {
        CountDownLatch left = new CountDownLatch(held.size());
        held.forEach(each -> each.onLost(lost -> left.countDown()));
        lossExpected = true;
        return left;
    }

    @Override
    public void close() {
        // The end of a lost one fails, as it should where nobody has expected it.
        held.stream().filter(each -> !lossExpected || each.isHeld()).forEach(LockHandle::close);
        locker.close();
        pool.close();
    }
}
