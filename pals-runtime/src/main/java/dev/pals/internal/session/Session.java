package dev.pals.internal.session;

import dev.pals.internal.sql.AdvisoryLockSql;
import dev.pals.internal.sql.LockCommand;
import dev.pals.internal.sql.SqlState;
import dev.pals.lock.LockMode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One PostgreSQL session that any number of callers share.
 *
 * <p>A caller puts its commands on the queue. Whoever finds that nobody is sending takes the whole queue, sends it as
 * one statement, and wakes the others: so the more callers there are, the more commands travel in one round trip, and
 * one caller alone pays for nothing but its own prepared statement. There is no thread of the session's own and no
 * hand-over between threads where it is quiet.
 *
 * <p>A session never blocks on a lock while it is shared; {@link #waitFor} is for one that its caller has for itself.
 *
 * <p>The ledger says which locks this session holds in PostgreSQL. After an error that the session survives, PostgreSQL
 * may have executed any part of a batch; then what it really holds is read from {@code pg_locks}, and what the ledger
 * does not know is freed, before anybody gets an answer. A session that does not survive takes its locks with it: each
 * hold is told that it is lost.
 */
final class Session {
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);
    private static final int MAX_COMMANDS = 256;

    /** Who may touch the connection and the ledger: the one that has set this. */
    private final AtomicBoolean sending = new AtomicBoolean();

    private final AtomicBoolean asking = new AtomicBoolean();
    private final Queue<Order> queue = new ConcurrentLinkedQueue<>();
    private final Map<Long, Hold> ledger = new HashMap<>();
    private final Map<String, PreparedStatement> statements = new HashMap<>();
    private final List<Order> batch = new ArrayList<>();
    private boolean othersSend;
    private final Yielding yielding = new Yielding();
    private final SessionConnection borrowed;
    private final Connection connection;
    private final SessionSettings settings;
    private final Ticker ticker;
    private final Executor senders;
    private final Consumer<Session> whenEnded;
    private volatile @Nullable SQLException end;
    private volatile boolean refusing;
    private volatile int held;
    /** When the last statement that PostgreSQL answered was sent. */
    private volatile long confirmed;

    private volatile @Nullable PreparedStatement waiting;
    private volatile @Nullable Hold waitingFor;
    private final AtomicBoolean left = new AtomicBoolean();

    /**
     * Makes one of a connection.
     *
     * @param senders run the input and output of callers that must not do it themselves
     * @param whenEnded told once if the session has ended by itself; its connection is to be cut
     */
    Session(
            Connection connection,
            SessionSettings settings,
            Ticker ticker,
            Executor senders,
            Consumer<Session> whenEnded)
            throws SQLException {
        // Before the connection is asked anything: PostgreSQL counts from a later moment.
        this.confirmed = ticker.nanoTime();
        this.borrowed = new SessionConnection(connection, settings);
        this.connection = connection;
        this.settings = settings;
        this.ticker = ticker;
        this.senders = senders;
        this.whenEnded = whenEnded;
    }

    /** Asks for a sign of life, unless there was one just now or another question is under way. */
    void heartbeat(long quietNanos) {
        if (ticker.nanoTime() - confirmed > quietNanos && asking.compareAndSet(false, true)) {
            senders.execute(() -> {
                try {
                    confirm();
                } catch (SQLException e) {
                    LOG.debug("A session has ended", e);
                } finally {
                    asking.set(false);
                }
            });
        }
    }

    /**
     * Asks for a sign of life. One round trip.
     *
     * @throws SQLException if there is none: the session has ended
     */
    void confirm() throws SQLException {
        if (!perform(new Order(Command.heartbeat()))) {
            throw new SQLException("the session is no longer in use");
        }
    }

    /** The process of PostgreSQL's. */
    int pid() {
        return borrowed.pid();
    }

    /** How many locks it holds. */
    int held() {
        return held;
    }

    boolean isOpen() {
        return end == null && !refusing;
    }

    boolean isIdleFor(long nanos) {
        return held == 0 && queue.isEmpty() && ticker.nanoTime() - confirmed > nanos;
    }

    /** Whether what it holds is certainly held at this moment, as far as its lease goes. */
    boolean isConfirmed() {
        return ticker.nanoTime() - confirmed < settings.certainNanos();
    }

    /**
     * Does what the order says, in one round trip.
     *
     * @return false if this session is no longer in use, and another one must do it
     * @throws SQLException if it failed; nothing that it would have taken is held then
     */
    boolean perform(Order order) throws SQLException {
        queue.add(order);
        if (order.callerMaySend() && sending.compareAndSet(false, true)) {
            sendAndRelease();
        }
        if (order.isWaiting()) {
            await(order);
        }
        order.throwFailure();
        return !order.isRefused();
    }

    private void await(Order order) {
        boolean interrupted = false;
        int yields = 0;
        if (!order.callerMaySend()) {
            handToSender();
        }
        while (order.isWaiting()) {
            if (order.callerMaySend() && sending.compareAndSet(false, true)) {
                sendAndRelease();
            } else if (order.callerMaySend() && yielding.insteadOfSleep(yields)) {
                yields++;
            } else {
                LockSupport.park(this);
                interrupted |= Thread.interrupted();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void sendPending() {
        while (!queue.isEmpty() && sending.compareAndSet(false, true)) {
            sendAndRelease();
        }
    }

    /** Needs {@link #sending}. */
    private void sendAndRelease() {
        drain();
        try {
            send();
        } catch (RuntimeException | Error e) {
            // Whatever it was, callers must not wait for ever, and what PostgreSQL has done is not known.
            SQLException cause = new SQLException("the session failed: " + e, e);
            endWith(cause);
            batch.stream().filter(Order::isWaiting).forEach(order -> order.fail(cause));
        } finally {
            batch.clear();
            release();
        }
    }

    private void release() {
        sending.set(false);
        Order next = queue.peek();
        if (next != null) {
            if (next.callerMaySend()) {
                next.wakeCaller();
            } else {
                handToSender();
            }
        }
    }

    private void handToSender() {
        try {
            senders.execute(this::sendPending);
        } catch (RejectedExecutionException e) {
            // The locker is closed: whoever asks is told so.
            refusing = true;
            sendPending();
        }
    }

    private void drain() {
        if (othersSend) {
            yielding.beforeSending();
        }
        int commands = 0;
        for (Order order = queue.peek(); order != null && commands < MAX_COMMANDS; order = queue.peek()) {
            batch.add(queue.remove());
            commands += order.commands().size();
        }
        othersSend = batch.size() > 1;
    }

    private void send() {
        if (!isOpen()) {
            batch.forEach(Order::refuse);
        } else if (batch.size() == 1) {
            sendGroup(batch);
        } else if (!batch.isEmpty()) {
            sendTogether();
        }
    }

    private void sendTogether() {
        List<Order> together = new ArrayList<>(batch.size());
        for (Order order : batch) {
            if (!order.isAlone()) {
                together.add(order);
            }
        }
        if (!together.isEmpty()) {
            sendGroup(together);
        }
        for (Order order : batch) {
            if (order.isAlone()) {
                sendGroup(List.of(order));
            }
        }
    }

    private void sendGroup(List<Order> orders) {
        if (end != null) {
            orders.forEach(Order::refuse);
            return;
        }
        List<Command> commands = orders.size() == 1 ? orders.get(0).commands() : commandsOf(orders);
        long sent = ticker.nanoTime();
        try {
            if (commands.size() == 1) {
                askOne(commands.get(0));
            } else if (orders.get(0).isSequence()) {
                askInSequence(commands);
            } else {
                askAll(commands);
            }
        } catch (SQLException e) {
            settle(orders, commands, e);
            return;
        }
        confirmed = sent;
        for (Command command : commands) {
            enter(command);
        }
        held = ledger.size();
        for (Order order : orders) {
            order.done();
        }
    }

    private static List<Command> commandsOf(List<Order> orders) {
        List<Command> commands = new ArrayList<>(orders.size() + 8);
        for (Order order : orders) {
            commands.addAll(order.commands());
        }
        return commands;
    }

    /** Takes locks of one mode one after the other, up to the first that is not free. */
    private void askInSequence(List<Command> commands) throws SQLException {
        LockMode mode = Objects.requireNonNull(commands.get(0).hold()).mode();
        PreparedStatement statement = prepared(AdvisoryLockSql.tryLocks(mode, settings.fenced()));
        statement.setArray(1, connection.createArrayOf("int8", keys(commands)));
        try (ResultSet result = statement.executeQuery()) {
            for (int i = 0; result.next(); i++) {
                commands.get(i).answer(result.getLong(1));
            }
        }
    }

    private void askOne(Command command) throws SQLException {
        PreparedStatement statement = prepared(AdvisoryLockSql.command(command.kind()));
        if (command.kind() != LockCommand.HEARTBEAT) {
            statement.setLong(1, command.key());
        }
        try (ResultSet result = statement.executeQuery()) {
            result.next();
            if (command.kind().isFenced()) {
                command.answer(result.getLong(1));
            } else {
                command.answer(result.getBoolean(1));
            }
        }
    }

    private void askAll(List<Command> commands) throws SQLException {
        Integer[] codes = new Integer[commands.size()];
        Arrays.setAll(codes, i -> commands.get(i).kind().code());
        PreparedStatement statement = prepared(AdvisoryLockSql.batch(settings.fenced()));
        statement.setArray(1, connection.createArrayOf("int4", codes));
        statement.setArray(2, connection.createArrayOf("int8", keys(commands)));
        try (ResultSet result = statement.executeQuery()) {
            for (Command command : commands) {
                result.next();
                command.answer(result.getLong(1));
            }
        }
    }

    private static Long[] keys(List<Command> commands) {
        Long[] keys = new Long[commands.size()];
        Arrays.setAll(keys, i -> commands.get(i).key());
        return keys;
    }

    /** Kept open: to open one for each command would cost a third of a lock cycle. */
    private PreparedStatement prepared(String sql) throws SQLException {
        PreparedStatement statement = statements.get(sql);
        if (statement == null) {
            statement = connection.prepareStatement(sql);
            statements.put(sql, statement);
        }
        return statement;
    }

    /** Writes the ledger. */
    private void enter(Command command) {
        Hold hold = command.hold();
        if (hold != null && command.answer()) {
            ledger.put(command.key(), hold);
            hold.heldBy(this, command.token());
        } else if (command.frees()) {
            ledger.remove(command.key());
        }
    }

    /** Makes PostgreSQL and the ledger agree after an error, or else ends the session. */
    private void settle(List<Order> orders, List<Command> commands, SQLException e) {
        try {
            commands.stream().filter(Command::frees).forEach(this::enter);
            freeAllBut(ledger.keySet());
            held = ledger.size();
            for (Command command : commands) {
                command.answer(command.frees());
            }
            for (Order order : orders) {
                if (order.commands().stream().anyMatch(command -> command.takes() || command.looks())) {
                    order.fail(e);
                } else {
                    order.done();
                }
            }
        } catch (SQLException again) {
            if (again != e) {
                again.addSuppressed(e);
            }
            endWith(e);
            orders.forEach(order -> order.fail(e));
        }
    }

    /** Frees what PostgreSQL says that this session holds, except for these keys. */
    private void freeAllBut(Set<Long> keys) throws SQLException {
        List<Command> strays = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(AdvisoryLockSql.OWN_LOCKS);
                ResultSet result = statement.executeQuery()) {
            while (result.next()) {
                long key = result.getLong(1);
                LockMode mode = result.getBoolean(2) ? LockMode.EXCLUSIVE : LockMode.SHARED;
                if (!keys.contains(key)) {
                    strays.add(Command.free(key, mode));
                }
            }
        }
        if (!strays.isEmpty()) {
            askAll(strays);
        }
    }

    /**
     * Ends the session, whose locks PostgreSQL frees with it, and tells those that held them. Needs {@link #sending}.
     */
    private void endWith(SQLException cause) {
        if (end != null) {
            return;
        }
        end = cause;
        List<Hold> lost = List.copyOf(ledger.values());
        ledger.clear();
        held = 0;
        // Before the connection is cut, which lets others have the locks.
        lost.forEach(hold -> tellLoss(hold, cause));
        whenEnded.accept(this);
        for (Order order = queue.poll(); order != null; order = queue.poll()) {
            order.refuse();
        }
    }

    /** Whatever goes wrong with one, the others are told, and the connection is cut. */
    private static void tellLoss(Hold hold, SQLException cause) {
        try {
            hold.lose(cause);
        } catch (RuntimeException | Error e) {
            LOG.error("The loss of {} could not be told", hold.key(), e);
        }
    }

    /**
     * Waits for the lock in PostgreSQL's queue, on a session that the caller has for itself and that holds nothing.
     *
     * @param cancelled whether not even to begin; true before {@link #cancelWait(Hold)} is called
     * @return whether it is held; if not, the time ran out or the wait was cancelled
     * @throws SQLException if the session did not survive
     */
    boolean waitFor(Hold hold, long lockTimeoutMillis, BooleanSupplier cancelled) throws SQLException {
        acquireSending();
        try {
            SQLException ended = end;
            if (ended != null) {
                throw ended;
            }
            waitingFor = hold;
            return !refusing && !cancelled.getAsBoolean() && waitOpen(hold, lockTimeoutMillis);
        } catch (SQLException e) {
            endWith(e);
            throw e;
        } catch (RuntimeException | Error e) {
            endWith(new SQLException("the session failed: " + e, e));
            throw e;
        } finally {
            waitingFor = null;
            release();
        }
    }

    private boolean waitOpen(Hold hold, long lockTimeoutMillis) throws SQLException {
        long token = 0;
        String sql = AdvisoryLockSql.waitForLock(hold.mode(), settings.fenced());
        borrowed.expectAnswersWithin(lockTimeoutMillis);
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, Long.toString(lockTimeoutMillis));
            statement.setLong(2, hold.key().lockHash());
            waiting = statement;
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                token = result.getLong(2);
            }
        } catch (SQLException e) {
            if (SqlState.LOCK_NOT_AVAILABLE.matches(e) || SqlState.QUERY_CANCELED.matches(e)) {
                // It may have been granted all the same: settle before anything else.
                borrowed.expectAnswersWithin(0);
                despiteLateCancel(this::unlockAll);
                confirmed = ticker.nanoTime();
                return false;
            }
            throw e;
        } finally {
            waiting = null;
        }
        borrowed.expectAnswersWithin(0);
        confirmSince();
        ledger.put(hold.key().lockHash(), hold);
        hold.heldBy(this, token);
        held = ledger.size();
        return true;
    }

    /** When a wait was answered is not known: this program may have been stopped since. */
    private void confirmSince() throws SQLException {
        long sent = ticker.nanoTime();
        if (settings.lease() != null) {
            despiteLateCancel(() -> askOne(Command.heartbeat()));
        }
        confirmed = sent;
    }

    private interface Statement {
        void run() throws SQLException;
    }

    /** The cancel of a wait may arrive when that has just ended, and hit what comes next. */
    private static void despiteLateCancel(Statement statement) throws SQLException {
        try {
            statement.run();
        } catch (SQLException e) {
            if (!SqlState.QUERY_CANCELED.matches(e)) {
                throw e;
            }
            statement.run();
        }
    }

    /** Ends a wait from another thread; without effect where there is none at this moment. */
    void cancelWait() throws SQLException {
        PreparedStatement statement = waiting;
        if (statement != null && !statement.isClosed()) {
            statement.cancel();
        }
    }

    /** As {@link #cancelWait()}, if it is for this; returns whether it is. */
    boolean cancelWait(Hold wanted) throws SQLException {
        boolean waitsForThis = waitingFor == wanted;
        if (waitsForThis) {
            cancelWait();
        }
        return waitsForThis;
    }

    private void cancelWaitQuietly() {
        try {
            cancelWait();
        } catch (SQLException e) {
            LOG.debug("A wait could not be cancelled; it is tried again", e);
        }
    }

    /** Spins: only a heartbeat can be under way. */
    private void acquireSending() {
        while (!sending.compareAndSet(false, true)) {
            LockSupport.parkNanos(this, 50_000);
        }
    }

    private void unlockAll() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(AdvisoryLockSql.UNLOCK_ALL)) {
            statement.execute();
        }
    }

    /**
     * Stops using the session if it is idle: nothing is held, and nothing asked.
     *
     * @return whether it is stopped; the caller then calls {@link #giveBack}
     */
    boolean refuseIfIdle() {
        if (!sending.compareAndSet(false, true)) {
            return false;
        }
        try {
            boolean idle = end == null && !refusing && ledger.isEmpty() && queue.isEmpty();
            if (idle) {
                refusing = true;
            }
            return idle;
        } finally {
            release();
        }
    }

    /** Stops using the session; what is under way goes on. */
    void refuse() {
        refusing = true;
    }

    /** Whether the caller is the one who is to give its connection back, or to cut it. */
    boolean leave() {
        return left.compareAndSet(false, true);
    }

    /**
     * Stops using the session, whatever it holds.
     *
     * @return whether nothing is under way on it any more; otherwise its connection is to be cut
     */
    boolean refuseAtOnce(long patienceNanos) {
        refusing = true;
        long deadline = System.nanoTime() + patienceNanos;
        while (!sending.compareAndSet(false, true)) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            cancelWaitQuietly();
            LockSupport.parkNanos(this, 5_000_000);
        }
        try {
            ledger.clear();
            held = 0;
            return true;
        } finally {
            release();
        }
    }

    /**
     * Frees everything and hands the connection back as it came; for a session that is refusing.
     *
     * @throws SQLException if PostgreSQL could not confirm that nothing is held; the connection is to be cut then
     */
    void giveBack() throws SQLException {
        unlockAll();
        borrowed.giveBack();
    }

    Connection connection() {
        return connection;
    }

    @Nullable
    SQLException end() {
        return end;
    }

    @Override
    public String toString() {
        return "session holding " + held + ", " + (isOpen() ? "open" : "no longer in use");
    }
}
