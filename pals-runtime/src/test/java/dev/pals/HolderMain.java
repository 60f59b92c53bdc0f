package dev.pals;

import static dev.pals.OtherProgram.say;

import dev.pals.lock.LockException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.WaitPolicy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A program that takes a lock and keeps it. It says when it has it, when it is told of its loss, and, after each pause
 * in which this program did not run, first of all whether it takes the lock for held.
 */
final class HolderMain {
    static final String APP = "holder";
    static final String HOLDING = "holding";
    static final String LOST = "lost";
    static final String FAILED = "failed";
    static final String WOKE_AND_HOLDS = "woke up, held: true";
    static final String WOKE_AND_DOES_NOT_HOLD = "woke up, held: false";

    /** Of {@link #main}, in place of a lease. */
    static final String NO_LEASE = "PT0S";

    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private HolderMain() {}

    /** Arguments: the lock's name, the lease, the orphan time. */
    public static void main(String[] args) {
        LockerBuilder builder = Locker.builder(APP).url(OtherProgram.url()).orphanTime(Duration.parse(args[2]));
        if (!args[1].equals(NO_LEASE)) {
            builder.lease(Duration.parse(args[1]));
        }
        Locker locker = builder.build();
        Thread work = new Thread(() -> hold(locker, args[0]));
        work.setDaemon(true);
        work.start();
        // Ends with the test.
        OtherProgram.heard();
    }

    private static void hold(Locker locker, String name) {
        LockHandle handle;
        try {
            handle = locker.exclusive(locker.key(name))
                    .waiting(WaitPolicy.forever())
                    .acquire();
        } catch (LockException e) {
            say(FAILED);
            return;
        }
        handle.onLost(loss -> say(loss.getCause() instanceof SQLException ? LOST : "no SQLException: " + loss));
        say(HOLDING);
        long last = System.nanoTime();
        while (true) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            long now = System.nanoTime();
            if (now - last > PAUSE_NANOS) {
                say(handle.isHeld() ? WOKE_AND_HOLDS : WOKE_AND_DOES_NOT_HOLD);
            }
            last = now;
        }
    }
}
