package dev.pals.internal.session;

import dev.pals.internal.sql.LockCommand;
import dev.pals.key.LockKey;
import dev.pals.lock.LockBudgetException;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockException;
import dev.pals.lock.LockerClosedException;
import dev.pals.lock.SessionUnavailableException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The sessions of one locker. Some are shared by all callers, for what does not wait: a command goes to the session of
 * its thread, or to the one that holds least where that one holds much more, since PostgreSQL looks through all locks
 * of a session at the end of each transaction. Others are taken by one caller at a time, to wait in PostgreSQL's queue;
 * when the wait has ended, they hold the lock until it is freed.
 *
 * <p>A connection goes back to its data source only after {@code pg_advisory_unlock_all()} has succeeded on it;
 * otherwise it is cut, which frees its locks as well. Thread-safe.
 */
public final class Sessions implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sessions.class);
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(10);
    private static final long WATCH_MILLIS = 250;
    private static final long RETURNED_WITHIN_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long NONE_TO_SPARE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long CANCEL_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    /** As many threads as have their commands sent together at a time. */
    private static final int STEPS = 8;
    /** Where a session holds this many more than the least loaded one, that one is used. */
    private static final int IMBALANCE = 32;
    /**
     * Measured: a session that holds 1,000 locks answers twice as slowly, one that holds 100 as fast as an empty one.
     */
    private static final int MANY_LOCKS = 500;
    /** Shared sessions leave so many connections for waiting, where there is more than one. */
    private static final int KEPT_FOR_WAITING = 1;

    private final Connections connections;
    private final SessionSettings settings;
    private final Ticker ticker;
    private final int budget;
    private final List<Session> shared = new CopyOnWriteArrayList<>();
    private final ConcurrentLinkedDeque<Session> idleWaiters = new ConcurrentLinkedDeque<>();
    private final Set<Session> waiters = ConcurrentHashMap.newKeySet();
    private final ReentrantLock opening = new ReentrantLock();
    private final ThreadPoolExecutor threadPool;
    private final ThreadPoolExecutor stepPool;
    private final ScheduledThreadPoolExecutor watchdog;
    private final PatientExecutor threads;
    private final PatientExecutor steps;
    private final PatientExecutor completions;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final int base;
    private volatile long noneToSpareUntil;

    /**
     * Makes a set of sessions; opens none yet.
     *
     * @param base how many sessions are shared, as long as none of them holds many locks; fewer where none would be
     *     left for waiting
     * @param budget how many locks all of them hold at the most
     */
    public Sessions(Connections connections, SessionSettings settings, Ticker ticker, int base, int budget) {
        this.connections = connections;
        this.settings = settings;
        this.ticker = ticker;
        this.noneToSpareUntil = ticker.nanoTime();
        this.budget = budget;
        this.base = Math.max(1, Math.min(base, connections.limit() - KEPT_FOR_WAITING));
        String name = connections.name();
        this.threadPool = asManyAsNeeded(60, work -> daemon(work, name + " sender"));
        this.stepPool = new ThreadPoolExecutor(
                STEPS, STEPS, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> daemon(work, name + " step"));
        stepPool.allowCoreThreadTimeOut(true);
        this.watchdog = new ScheduledThreadPoolExecutor(1, work -> daemon(work, name + " watchdog"));
        watchdog.setRemoveOnCancelPolicy(true);
        this.threads = new PatientExecutor(threadPool, watchdog);
        this.steps = new PatientExecutor(stepPool, watchdog);
        // Not shut down: requests end when the locker is closed, too. Its threads end by themselves.
        this.completions = new PatientExecutor(asManyAsNeeded(1, work -> daemon(work, name + " completion")), watchdog);
        ticker.again(this::watch, WATCH_MILLIS, watchdog);
    }

    private static ThreadPoolExecutor asManyAsNeeded(int idleSeconds, ThreadFactory daemons) {
        return new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, idleSeconds, TimeUnit.SECONDS, new SynchronousQueue<>(), daemons);
    }

    private static Thread daemon(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
    }

    /** The locker's name in messages. */
    public String name() {
        return connections.name();
    }

    /** Runs waits and what callers must not do themselves; its threads are no virtual ones. */
    public Executor threads() {
        return threads;
    }

    /** Runs what waits for nothing but a round trip, a few at a time. */
    public Executor steps() {
        return steps;
    }

    /**
     * Runs what the program does when a request has ended, which may block. The common pool of the JDK has few threads,
     * and on small machines one thread for each task.
     */
    public Executor completions() {
        return completions;
    }

    /** Runs the work later, unless the locker is closed by then; it must not block. */
    public Future<?> schedule(Runnable work, long delayNanos) {
        return watchdog.schedule(work, delayNanos, TimeUnit.NANOSECONDS);
    }

    /** The longest wait in PostgreSQL in one piece. */
    public long sliceNanos() {
        return settings.sliceNanos();
    }

    /** Whether exclusive locks come with fencing tokens. */
    public boolean isFenced() {
        return settings.fenced();
    }

    public boolean isClosed() {
        return closed.get();
    }

    public void checkOpen() {
        if (closed.get()) {
            throw new LockerClosedException(name());
        }
    }

    // ---- commands ----

    /** Takes the lock if it is free. One round trip. */
    public boolean take(Hold hold) throws SQLException {
        checkBudget(1);
        Command command = Command.take(hold, settings.fenced());
        perform(new Order(command));
        return command.answer();
    }

    /** Whether any session, of any program, holds the lock. One round trip, and a look at the server's whole table. */
    public boolean isHeld(LockKey key) throws SQLException {
        return look(LockCommand.LOOK_IF_HELD, key);
    }

    /** Whether any session, of any program, waits for the lock. As expensive as {@link #isHeld}. */
    public boolean isWaitedFor(LockKey key) throws SQLException {
        return look(LockCommand.LOOK_IF_WAITED_FOR, key);
    }

    private boolean look(LockCommand kind, LockKey key) throws SQLException {
        Command command = Command.look(kind, key.lockHash());
        perform(new Order(command));
        return command.answer();
    }

    /**
     * Takes the locks, of one mode, one after the other up to the first that is not free; returns how many. One round
     * trip.
     */
    public int takeInOrder(List<Hold> holds) throws SQLException {
        checkBudget(holds.size());
        List<Command> commands = holds.stream()
                .map(hold -> Command.take(hold, settings.fenced()))
                .toList();
        perform(Order.inSequence(commands));
        return (int) commands.stream().filter(Command::answer).count();
    }

    /** Threads that take locks at the same moment may exceed it by their number. */
    private void checkBudget(int wanted) {
        int held = held();
        if (held + wanted > budget) {
            throw new LockBudgetException(name(), held, wanted, budget);
        }
    }

    private int held() {
        int held = 0;
        for (Session session : shared) {
            held += session.held();
        }
        for (Session session : waiters) {
            held += session.held();
        }
        return held;
    }

    /** Once more where the session has ended: whatever became of the commands there, nothing is held by it any more. */
    private void perform(Order order) throws SQLException {
        boolean again = false;
        while (true) {
            Session session = next();
            try {
                if (session.perform(order)) {
                    return;
                }
            } catch (SQLException e) {
                if (again || session.end() == null || closed.get()) {
                    throw e;
                }
                LOG.debug("{}: a session has ended; its last commands go to another one", name(), e);
                again = true;
            }
            order.again();
        }
    }

    /** Frees the lock. One round trip. */
    public void free(Hold hold) {
        Session session = hold.session();
        if (session != null) {
            freeOn(session, List.of(hold));
        }
    }

    /** Frees the locks, with one round trip for each session that holds some. */
    public void free(Collection<Hold> holds) {
        List<Hold> rest = new ArrayList<>(holds);
        while (!rest.isEmpty()) {
            Session session = rest.get(0).session();
            List<Hold> there =
                    rest.stream().filter(hold -> hold.session() == session).toList();
            rest.removeAll(there);
            if (session != null) {
                freeOn(session, there);
            }
        }
    }

    private void freeOn(Session session, List<Hold> holds) {
        Command[] commands = new Command[holds.size()];
        Arrays.setAll(commands, i -> Command.free(holds.get(i)));
        try {
            if (session.perform(new Order(commands))) {
                for (int i = 0; i < commands.length; i++) {
                    if (!commands[i].answer()) {
                        holds.get(i).lose(new SQLException("PostgreSQL did not hold the lock any more"));
                    }
                }
            }
        } catch (SQLException e) {
            holds.stream().filter(hold -> hold.loss() == null).forEach(hold -> hold.lose(e));
        }
        reuseIfForWaiting(session);
    }

    /**
     * Frees one lock and tries to take another on the same session, in one round trip.
     *
     * @return whether the other was taken
     */
    public boolean exchange(Hold held, Hold wanted) throws SQLException {
        Session session = held.session();
        Command take = Command.take(wanted, settings.fenced());
        Command free = Command.free(held);
        try {
            if (session == null || !session.perform(new Order(free, take))) {
                throw new SQLException("the session has ended");
            }
        } catch (SQLException e) {
            if (session != null && held.loss() == null && session.end() != null) {
                held.lose(e);
            }
            throw e;
        }
        if (!free.answer()) {
            held.lose(new SQLException("PostgreSQL did not hold the lock any more"));
        }
        if (!take.answer()) {
            reuseIfForWaiting(session);
        }
        return take.answer();
    }

    // ---- shared sessions ----

    private Session next() {
        checkOpen();
        Session[] all = shared.toArray(Session[]::new);
        int index = Math.floorMod((Long.hashCode(threadId()) * 0x9E3779B9) >>> 16, base);
        if (all.length == 0 || (index >= all.length && mayConnect())) {
            return opened();
        }
        Session mine = all[index % all.length];
        if (!mine.isOpen()) {
            return opened();
        }
        Session least = leastLoaded(all);
        Session chosen = mine.held() > least.held() + IMBALANCE ? least : mine;
        return least.held() < MANY_LOCKS ? (chosen.held() < MANY_LOCKS ? chosen : least) : grown(least);
    }

    @SuppressWarnings("deprecation") // threadId() is there from JDK 19 on.
    private static long threadId() {
        return Thread.currentThread().getId();
    }

    private static Session leastLoaded(Session[] all) {
        Session least = all[0];
        for (Session session : all) {
            if (session.isOpen() && (session.held() < least.held() || !least.isOpen())) {
                least = session;
            }
        }
        return least;
    }

    /** One more, if there may be; the one that is there otherwise. */
    private Session grown(Session otherwise) {
        if (!opening.tryLock()) {
            return otherwise;
        }
        try {
            boolean enough = !waiters.isEmpty() || connections.hasSpare(1 + KEPT_FOR_WAITING);
            Session more = !closed.get() && enough && spare() ? connectSpare(this::endedShared) : null;
            if (more == null) {
                return otherwise;
            }
            shared.add(more);
            return more;
        } finally {
            opening.unlock();
        }
    }

    /** One more of the base sessions, or one of those that are there. */
    private Session opened() {
        lockInterruptibly();
        try {
            checkOpen();
            shared.removeIf(session -> !session.isOpen());
            if (shared.isEmpty()) {
                shared.add(first());
            } else if (shared.size() < base && spare()) {
                Session more = connectSpare(this::endedShared);
                if (more != null) {
                    shared.add(more);
                }
            }
            return leastLoaded(shared.toArray(Session[]::new));
        } finally {
            opening.unlock();
        }
    }

    /** Its connection may just be on the way back. */
    private Session first() {
        if (connections.reserve(RETURNED_WITHIN_NANOS)) {
            return connect(this::endedShared);
        }
        throw new SessionUnavailableException(
                name() + ": all " + connections.limit() + " connections wait or hold. Raise maxSessions(...).", null);
    }

    private boolean spare() {
        return mayConnect() && connections.reserve();
    }

    private boolean mayConnect() {
        return connections.hasSpare(1) && ticker.nanoTime() - noneToSpareUntil >= 0;
    }

    /**
     * Needs {@link #spare}. Null where the data source or the server has no more; then it is left alone for a while.
     */
    private @Nullable Session connectSpare(Consumer<Session> whenEnded) {
        try {
            return connect(whenEnded);
        } catch (SessionUnavailableException | LockDatabaseException e) {
            noneToSpareUntil = ticker.nanoTime() + NONE_TO_SPARE_NANOS;
            LOG.info("{}: the data source has no connection to spare", name(), e);
            return null;
        }
    }

    private void lockInterruptibly() {
        try {
            opening.lockInterruptibly();
        } catch (InterruptedException e) {
            throw new SessionInterruptedException(e);
        }
    }

    /** The thread was interrupted while it waited for a session. */
    public static final class SessionInterruptedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        SessionInterruptedException(InterruptedException e) {
            super(e);
        }
    }

    /** Elsewhere for a virtual thread: an interrupt during its input or output would cut the connection. */
    private Session connect(Consumer<Session> whenEnded) {
        if (!Threads.isVirtual(Thread.currentThread())) {
            return connectHere(whenEnded);
        }
        try {
            // Not with patience: the caller is there to be told.
            return CompletableFuture.supplyAsync(() -> connectHere(whenEnded), threadPool)
                    .join();
        } catch (OutOfMemoryError e) {
            connections.unreserve();
            throw new SessionUnavailableException(
                    name() + ": there was no thread for a connection (" + e.getMessage() + ").", e);
        } catch (CompletionException e) {
            if (e.getCause() instanceof LockException failure) {
                throw failure;
            }
            throw e;
        }
    }

    private Session connectHere(Consumer<Session> whenEnded) {
        Connection connection = connections.open();
        try {
            return new Session(connection, settings, ticker, threads, whenEnded);
        } catch (SQLException | RuntimeException e) {
            connections.evict(connection);
            throw Connections.refused(name(), e);
        } catch (Error e) {
            connections.evict(connection);
            throw e;
        }
    }

    private void endedShared(Session session) {
        shared.remove(session);
        cut(session);
    }

    private void cut(Session session) {
        if (session.leave()) {
            connections.evict(session.connection());
        }
    }

    // ---- sessions for waiting ----

    /**
     * A session of one's own, to wait in PostgreSQL's queue; null where there is none to spare. Does no input or
     * output: it may still have to {@linkplain Waiting#connect() connect}.
     */
    public @Nullable Waiting forWaiting() {
        Session session = idleWaiters.poll();
        while (session != null && !session.isOpen()) {
            session = idleWaiters.poll();
        }
        if (session != null) {
            return new Waiting(session);
        }
        // One is left for commands, without which nothing goes on.
        boolean enough = !shared.isEmpty() || connections.hasSpare(2);
        return !closed.get() && enough && spare() ? new Waiting(null) : null;
    }

    /** Needs {@link #spare}. */
    private @Nullable Session connectedWaiter() {
        Session session = connectSpare(this::endedWaiter);
        if (session != null) {
            waiters.add(session);
            if (closed.get() && waiters.remove(session) && session.refuseIfIdle()) {
                giveBack(session);
                return null;
            }
        }
        return session;
    }

    private void endedWaiter(Session session) {
        waiters.remove(session);
        idleWaiters.remove(session);
        cut(session);
    }

    private void reuseIfForWaiting(@Nullable Session session) {
        if (session != null && waiters.contains(session) && session.held() == 0 && session.isOpen()) {
            idleWaiters.push(session);
        }
    }

    /** A wait in PostgreSQL's queue. */
    public final class Waiting {
        private volatile @Nullable Session session;
        private volatile @Nullable Hold wanted;
        private volatile boolean cancelled;

        private Waiting(@Nullable Session session) {
            this.session = session;
        }

        /** Makes its connection where there is none yet; blocks. Returns whether there is one. */
        public boolean connect() {
            Session connected = session;
            if (connected == null) {
                connected = connectedWaiter();
                session = connected;
            }
            return connected != null;
        }

        /**
         * Waits for the lock; blocks.
         *
         * @return whether it is held; the session then holds it, and otherwise serves others
         */
        public boolean waitFor(Hold hold, long lockTimeoutMillis) throws SQLException {
            wanted = hold;
            Session connected = Objects.requireNonNull(session);
            boolean granted = connected.waitFor(hold, lockTimeoutMillis, () -> cancelled);
            if (!granted) {
                reuseIfForWaiting(connected);
            }
            return granted;
        }

        /** Lets others have the session, without a wait. */
        public void giveUp() {
            if (session == null) {
                connections.unreserve();
            } else {
                reuseIfForWaiting(session);
            }
        }

        /** Ends the wait early, or before it has begun; from another thread. */
        public void cancel() {
            cancelled = true;
            try {
                Session connected = session;
                Hold waitedFor = wanted;
                while (connected != null && waitedFor != null && connected.cancelWait(waitedFor)) {
                    // Where its statement is not sent yet, that was without effect.
                    LockSupport.parkNanos(this, CANCEL_AGAIN_NANOS);
                }
            } catch (SQLException e) {
                LOG.debug("{}: a wait could not be cancelled; it ends with its lock_timeout", name(), e);
            }
        }
    }

    // ---- the watchdog ----

    /** Heartbeats for sessions that hold locks or stay; connections that nobody needs go back to the data source. */
    private void watch() {
        try {
            for (Session session : all()) {
                if (session.held() > 0) {
                    session.heartbeat(TimeUnit.MILLISECONDS.toNanos(WATCH_MILLIS) / 2);
                } else if (session.isIdleFor(settings.longestIdleNanos())) {
                    spareOrKeep(session);
                }
            }
        } catch (RuntimeException | Error e) {
            // Errors too, since nobody would look again. Where the locker is being closed, its threads may be gone
            // already.
            LOG.atLevel(closed.get() ? Level.DEBUG : Level.WARN)
                    .setCause(e)
                    .log("{}: the watchdog failed; it goes on", name());
        }
    }

    private void spareOrKeep(Session session) {
        if (!mayBeSpared(session)) {
            // Otherwise its lease, or the server's own idle_session_timeout, ends it, and the next request fails.
            session.heartbeat(settings.longestIdleNanos());
        } else if (session.refuseIfIdle()) {
            threads.execute(() -> giveBack(session));
        }
    }

    /** The last shared session stays while others wait or hold: they may have all other connections. */
    private boolean mayBeSpared(Session session) {
        return waiters.isEmpty() || shared.size() > 1 || !shared.contains(session);
    }

    private List<Session> all() {
        List<Session> all = new ArrayList<>(shared);
        all.addAll(waiters);
        return all;
    }

    private void giveBack(Session session) {
        shared.remove(session);
        idleWaiters.remove(session);
        waiters.remove(session);
        if (!session.leave()) {
            return;
        }
        try {
            session.giveBack();
            connections.unreserve();
        } catch (SQLException | RuntimeException | OutOfMemoryError e) {
            LOG.debug("{}: a connection was not returned in order", name(), e);
            connections.evict(session.connection());
        }
    }

    @Override
    public void close() {
        close(() -> {});
    }

    /**
     * Frees every lock; further use throws. Idempotent.
     *
     * @param endWaits run when no new request can come any more
     */
    public void close(Runnable endWaits) {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        endWaits.run();
        opening.lock();
        try {
            long end = System.nanoTime() + CLOSE_PATIENCE.toNanos();
            all().forEach(Session::refuse);
            for (Session session : all()) {
                if (session.refuseAtOnce(end - System.nanoTime())) {
                    giveBack(session);
                } else {
                    LOG.warn("{}: a session did not end within {}, it is cut", name(), CLOSE_PATIENCE);
                    cut(session);
                }
            }
        } finally {
            opening.unlock();
            stopThreads();
        }
        connections.close();
    }

    private void stopThreads() {
        watchdog.shutdownNow();
        stepPool.shutdown();
        threadPool.shutdown();
        threads.close();
        steps.close();
        completions.close();
    }

    /** For tests and messages. */
    @Override
    public String toString() {
        return name() + ": " + shared.size() + " shared sessions, " + waiters.size() + " for waiting, at most "
                + connections.limit() + ", held "
                + held() + " of " + budget + " locks";
    }
}
