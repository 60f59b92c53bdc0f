package dev.pals.lock;

import java.util.List;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Several listeners as one that never throws. */
final class LockListeners implements LockListener {
    private static final Logger LOG = LoggerFactory.getLogger(LockListener.class);

    private final List<LockListener> listeners;

    LockListeners(LockListener... listeners) {
        this.listeners = List.of(listeners);
    }

    @Override
    public void acquired(LockEvent event) {
        tell(LockListener::acquired, event);
    }

    @Override
    public void waited(LockEvent event) {
        tell(LockListener::waited, event);
    }

    @Override
    public void handedOff(LockEvent event) {
        tell(LockListener::handedOff, event);
    }

    @Override
    public void timedOut(LockEvent event) {
        tell(LockListener::timedOut, event);
    }

    @Override
    public void lost(LockEvent event) {
        tell(LockListener::lost, event);
    }

    @Override
    public void released(LockEvent event) {
        tell(LockListener::released, event);
    }

    private void tell(BiConsumer<LockListener, LockEvent> what, LockEvent event) {
        for (LockListener listener : listeners) {
            try {
                what.accept(listener, event);
            } catch (Throwable e) {
                // Errors too: thrown into a request that holds its locks already, they would leave them behind.
                LOG.warn("{} failed on {}; the locks are not affected.", listener, event, e);
            }
        }
    }

    @Override
    public String toString() {
        return listeners.toString();
    }
}
