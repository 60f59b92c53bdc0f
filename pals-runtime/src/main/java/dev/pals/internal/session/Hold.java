package dev.pals.internal.session;

import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import java.sql.SQLException;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One lock in PostgreSQL: asked for, held by a session, and freed or lost. Thread-safe. */
public final class Hold {
    private final LockKey key;
    private final LockMode mode;
    private final Consumer<Hold> whenLost;
    private volatile @Nullable Session session;
    private volatile long token;
    private volatile @Nullable Exception loss;

    /**
     * Makes one that no session holds yet.
     *
     * @param whenLost told once, on the thread that found out, if the session ends before the lock is freed
     */
    public Hold(LockKey key, LockMode mode, Consumer<Hold> whenLost) {
        this.key = key;
        this.mode = mode;
        this.whenLost = whenLost;
    }

    public LockKey key() {
        return key;
    }

    public LockMode mode() {
        return mode;
    }

    /** Why it was lost, or null. */
    public @Nullable Exception loss() {
        return loss;
    }

    @Nullable
    Session session() {
        return session;
    }

    void heldBy(Session holder, long firstToken) {
        token = firstToken;
        session = holder;
    }

    /** The first of the fencing tokens that came with the lock; of no meaning where the locker takes none. */
    public long token() {
        return token;
    }

    /** Makes it a greater one; for who holds the lock alone. */
    public void raiseToken(long firstToken) {
        token = firstToken;
    }

    /** Whether PostgreSQL has said so recently enough to be sure that it is still held. */
    public boolean isConfirmed() {
        Session holder = session;
        return holder != null && loss == null && holder.isConfirmed();
    }

    /**
     * Asks PostgreSQL whether the sessions that hold them live. One round trip for each session.
     *
     * @throws SQLException if one has ended
     */
    public static void confirm(Collection<Hold> holds) throws SQLException {
        Set<Session> holders = new LinkedHashSet<>();
        for (Hold hold : holds) {
            Session holder = hold.session;
            if (holder != null) {
                holders.add(holder);
            }
        }
        for (Session holder : holders) {
            holder.confirm();
        }
    }

    /** The process of PostgreSQL's that holds it; empty where none does. */
    public OptionalInt pid() {
        Session holder = session;
        return holder == null || loss != null ? OptionalInt.empty() : OptionalInt.of(holder.pid());
    }

    void lose(Exception cause) {
        loss = cause;
        whenLost.accept(this);
    }
}
