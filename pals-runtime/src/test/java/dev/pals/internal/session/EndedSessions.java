package dev.pals.internal.session;

import dev.pals.internal.session.Sessions.Waiting;
import java.lang.reflect.Constructor;
import java.sql.SQLException;

/** What sessions do to holds and waits, for tests that have no sessions. */
public final class EndedSessions {
    private EndedSessions() {}

    /** As a session does when it ends by itself. */
    public static void lose(Hold hold) {
        hold.lose(new SQLException("the session has ended"));
    }

    /** Something to tell a wait by; of no other use. */
    public static Waiting waiting() {
        try {
            Constructor<Waiting> constructor = Waiting.class.getDeclaredConstructor(Sessions.class, Session.class);
            constructor.setAccessible(true);
            return constructor.newInstance(new Object[] {null, null});
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("Waiting has changed", e);
        }
    }
}
