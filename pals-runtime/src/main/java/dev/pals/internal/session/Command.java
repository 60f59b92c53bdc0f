package dev.pals.internal.session;

import dev.pals.internal.sql.LockCommand;
import dev.pals.lock.LockMode;
import org.jspecify.annotations.Nullable;

/** What a session is asked to do. The answer is written by the sender, before the {@link Order} is done. */
final class Command {
    private final LockCommand kind;
    private final long key;
    private final @Nullable Hold hold;
    private long answer;

    private Command(LockCommand kind, long key, @Nullable Hold hold) {
        this.kind = kind;
        this.key = key;
        this.hold = hold;
    }

    static Command take(Hold hold, boolean fenced) {
        return new Command(LockCommand.tryFor(hold.mode(), fenced), hold.key().lockHash(), hold);
    }

    static Command free(Hold hold) {
        return free(hold.key().lockHash(), hold.mode());
    }

    static Command free(long key, LockMode mode) {
        return new Command(LockCommand.unlockFor(mode), key, null);
    }

    static Command look(LockCommand kind, long key) {
        return new Command(kind, key, null);
    }

    static Command heartbeat() {
        return new Command(LockCommand.HEARTBEAT, 0, null);
    }

    LockCommand kind() {
        return kind;
    }

    boolean takes() {
        return kind.takes();
    }

    boolean looks() {
        return kind.looks();
    }

    boolean frees() {
        return kind.frees();
    }

    /** What is held if the answer is yes; only of commands that take a lock. */
    @Nullable
    Hold hold() {
        return hold;
    }

    long key() {
        return key;
    }

    /** Whether the answer was yes. */
    boolean answer() {
        return answer != 0;
    }

    /** The fencing token that came with the lock, if it came with one. */
    long token() {
        return answer;
    }

    void answer(long given) {
        answer = given;
    }

    void answer(boolean given) {
        answer = given ? 1 : 0;
    }
}
