package dev.pals.lock;

/** A listener with one method for everything. */
public abstract class EveryEvent implements LockListener {
    /**
     * Is told of every event.
     *
     * @param what the listener's method that was called
     */
    protected abstract void tell(String what, LockEvent event);

    @Override
    public final void acquired(LockEvent event) {
        tell("acquired", event);
    }

    @Override
    public final void waited(LockEvent event) {
        tell("waited", event);
    }

    @Override
    public final void handedOff(LockEvent event) {
        tell("handedOff", event);
    }

    @Override
    public final void timedOut(LockEvent event) {
        tell("timedOut", event);
    }

    @Override
    public final void lost(LockEvent event) {
        tell("lost", event);
    }

    @Override
    public final void released(LockEvent event) {
        tell("released", event);
    }
}
