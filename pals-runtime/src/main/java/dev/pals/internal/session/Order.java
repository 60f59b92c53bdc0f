package dev.pals.internal.session;

import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Commands of one caller, which travel in one statement, and the caller that waits for them. */
final class Order {
    private enum State {
        WAITING,
        DONE,
        FAILED,
        /** The session was given back before; another one must do it. */
        REFUSED
    }

    private final List<Command> commands;
    private final boolean sequence;
    private final boolean alone;
    private final Thread caller = Thread.currentThread();
    private final boolean callerMaySend = !Threads.isVirtual(caller);
    private @Nullable SQLException failure;
    private volatile State state = State.WAITING;

    private Order(List<Command> commands, boolean sequence) {
        this.commands = commands;
        this.sequence = sequence;
        this.alone = sequence || commands.get(0).looks();
    }

    /** Commands that are done one and all. */
    Order(Command... commands) {
        this(List.of(commands), false);
    }

    /** Commands that take locks of one mode, each only if the one before has taken its own. */
    static Order inSequence(List<Command> commands) {
        return new Order(commands, true);
    }

    boolean isSequence() {
        return sequence;
    }

    /** Whether it must not travel with others. */
    boolean isAlone() {
        return alone;
    }

    List<Command> commands() {
        return commands;
    }

    /** Whether the caller's own thread may do the session's input and output. */
    boolean callerMaySend() {
        return callerMaySend;
    }

    boolean isWaiting() {
        return state == State.WAITING;
    }

    boolean isRefused() {
        return state == State.REFUSED;
    }

    void wakeCaller() {
        LockSupport.unpark(caller);
    }

    void done() {
        end(State.DONE);
    }

    void refuse() {
        end(State.REFUSED);
    }

    /** Of an order that is not done: it is to be done by another session. */
    void again() {
        commands.forEach(command -> command.answer(false));
        state = State.WAITING;
    }

    void fail(SQLException e) {
        failure = e;
        end(State.FAILED);
    }

    private void end(State end) {
        state = end;
        if (caller != Thread.currentThread()) {
            wakeCaller();
        }
    }

    /** After it has ended. */
    void throwFailure() throws SQLException {
        if (state == State.FAILED && failure != null) {
            throw failure;
        }
    }
}
