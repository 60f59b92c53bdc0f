package dev.pals;

import dev.pals.lock.EveryEvent;
import dev.pals.lock.LockEvent;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What a locker has told its listener. */
final class NotedEvents extends EveryEvent {
    /**
     * One event.
     *
     * @param what the listener's method that was called
     */
    record Told(String what, LockEvent event) {}

    private final List<Told> told = new CopyOnWriteArrayList<>();

    @Override
    protected void tell(String what, LockEvent event) {
        told.add(new Told(what, event));
    }

    List<Told> all() {
        return told;
    }

    List<String> names() {
        return told.stream().map(Told::what).toList();
    }

    List<LockEvent> of(String what) {
        return told.stream()
                .filter(each -> each.what().equals(what))
                .map(Told::event)
                .toList();
    }

    void forget() {
        told.clear();
    }
}
