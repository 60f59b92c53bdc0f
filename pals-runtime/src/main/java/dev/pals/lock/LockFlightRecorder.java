package dev.pals.lock;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/**
 * Records what happens to locks as events of the JDK Flight Recorder, in the category {@code PALs}:
 * {@code dev.pals.LockAcquired}, {@code dev.pals.LockWaited}, {@code dev.pals.LockHandedOff},
 * {@code dev.pals.LockTimedOut}, {@code dev.pals.LockLost} and {@code dev.pals.LockReleased}.
 *
 * <p>Each is an instant with the fields {@code app}, {@code keys}, {@code mode}, {@code attempts} and {@code elapsed},
 * the {@link LockEvent#duration() duration}; a loss has its {@code cause} too. Every recording has them unless its
 * settings turn them off; stack traces are off unless its settings turn them on. Thread-safe.
 *
 * @see <a href="https://docs.oracle.com/en/java/javase/17/docs/api/jdk.jfr/jdk/jfr/package-summary.html">jdk.jfr</a>
 */
public final class LockFlightRecorder implements LockListener {
    @Override
    public void acquired(LockEvent event) {
        record(new LockAcquired(), event);
    }

    @Override
    public void waited(LockEvent event) {
        record(new LockWaited(), event);
    }

    @Override
    public void handedOff(LockEvent event) {
        record(new LockHandedOff(), event);
    }

    @Override
    public void timedOut(LockEvent event) {
        record(new LockTimedOut(), event);
    }

    @Override
    public void lost(LockEvent event) {
        record(new LockLost(), event);
    }

    @Override
    public void released(LockEvent event) {
        record(new LockReleased(), event);
    }

    private static void record(Recorded recorded, LockEvent event) {
        if (recorded.isEnabled()) {
            recorded.fill(event);
            recorded.commit();
        }
    }

    /** JFR reads the fields of superclasses too, unless they are private. */
    @Category("PALs")
    @StackTrace(false)
    abstract static class Recorded extends Event {
        @Label("Application")
        @Nullable
        String app;

        @Label("Keys")
        @Nullable
        String keys;

        @Label("Mode")
        @Nullable
        String mode;

        @Label("Attempts")
        @Description("How often PostgreSQL was asked for the locks")
        int attempts;

        /** JFR has a field "duration" of its own, from begin() to end(). */
        @Label("Elapsed")
        @Timespan(Timespan.NANOSECONDS)
        long elapsed;

        void fill(LockEvent event) {
            app = event.app();
            keys = event.keys().toString();
            mode = event.mode().name();
            attempts = event.attempts();
            elapsed = event.duration().toNanos();
        }
    }

    @Name("dev.pals.LockAcquired")
    @Label("Lock Acquired")
    @Description("A request holds all its locks; elapsed since its call")
    static final class LockAcquired extends Recorded {}

    @Name("dev.pals.LockWaited")
    @Label("Lock Waited")
    @Description("A request waits no longer; elapsed while it waited")
    static final class LockWaited extends Recorded {}

    @Name("dev.pals.LockHandedOff")
    @Label("Lock Handed Off")
    @Description("A lock went to the next holder in this program; elapsed since PostgreSQL granted it")
    static final class LockHandedOff extends Recorded {}

    @Name("dev.pals.LockTimedOut")
    @Label("Lock Timed Out")
    @Description("A request was not granted its locks; elapsed while it waited")
    static final class LockTimedOut extends Recorded {}

    @Name("dev.pals.LockLost")
    @Label("Lock Lost")
    @Description("The PostgreSQL session ended before the release; elapsed while the locks were held")
    static final class LockLost extends Recorded {
        @Label("Cause")
        @Nullable
        String cause;

        @Override
        void fill(LockEvent event) {
            super.fill(event);
            cause = event.cause().map(Throwable::toString).orElse(null);
        }
    }

    @Name("dev.pals.LockReleased")
    @Label("Lock Released")
    @Description("Locks were released; elapsed while they were held")
    static final class LockReleased extends Recorded {}
}
