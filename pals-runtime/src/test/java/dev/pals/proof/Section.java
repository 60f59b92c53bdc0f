package dev.pals.proof;

import dev.pals.lock.LockMode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One key of one section: who had it, and from when to when that is certain.
 *
 * <p>It ends when its last event found PostgreSQL's session still holding the lock. Where the session had ended by the
 * next event, it ends when that session was seen last, since no session lock outlives its session.
 *
 * @param session that held it, or null if PostgreSQL knew nothing of it
 * @param events of this section and key, in order
 * @param life of the session, or null if there is none
 * @param several whether the request was for several keys
 */
record Section(
        Event entered,
        @Nullable String session,
        List<Event> events,
        @Nullable SessionLife life,
        boolean several) {

    /** All sections, in the order in which they were entered. */
    static List<Section> of(List<Event> events, Map<String, SessionLife> lives) {
        Map<String, List<Event>> byKey = new HashMap<>();
        Map<String, Integer> keys = new HashMap<>();
        for (Event event : events) {
            byKey.computeIfAbsent(event.section() + " " + event.key(), any -> new ArrayList<>())
                    .add(event);
            if (event.kind() == Event.Kind.ENTERED) {
                keys.merge(event.section(), 1, Integer::sum);
            }
        }
        List<Section> sections = new ArrayList<>();
        for (List<Event> each : byKey.values()) {
            each.sort(Comparator.comparingLong(Event::at));
            each.stream()
                    .filter(event -> event.kind() == Event.Kind.ENTERED)
                    .findFirst()
                    .ifPresent(entered -> sections.add(new Section(
                            entered,
                            entered.session(),
                            each,
                            entered.session() == null ? null : lives.get(entered.session()),
                            keys.getOrDefault(entered.section(), 0) > 1)));
        }
        sections.sort(Comparator.comparingLong(Section::from));
        return sections;
    }

    /** Whether it had one of several sessions, and nothing says which. */
    boolean isAmbiguous() {
        return !isExclusive()
                && events.stream()
                        .anyMatch(event ->
                                event.session() != null && event.session().contains(","));
    }

    long key() {
        return entered.key();
    }

    boolean isExclusive() {
        return entered.mode() == LockMode.EXCLUSIVE;
    }

    /** A locked transaction: all others that are exclusive come with a token. */
    boolean isTransaction() {
        return isExclusive() && entered.token() == 0;
    }

    long from() {
        return entered.at();
    }

    /** What it did while it believed to have the lock. */
    private Stream<Event> later() {
        return events.stream()
                .filter(event -> event.at() > from() && (event.isWrite() || event.kind() == Event.Kind.LEFT));
    }

    /** Until when it certainly had the lock. */
    long until() {
        long until = from();
        for (Event event : (Iterable<Event>) later()::iterator) {
            boolean holds = session == null || session.equals(event.session());
            until = holds ? event.at() : Math.max(until, Math.min(event.at(), lastSeen()));
            if (!holds) {
                break;
            }
        }
        return until;
    }

    /** When its session certainly lived for the last time. */
    long lastSeen() {
        return life == null ? Long.MAX_VALUE : life.lastSeen();
    }

    /** The first event after which the session certainly still lived, without this lock. */
    @Nullable
    Event vanishedAt() {
        return session == null
                ? null
                : later().filter(event -> !session.equals(event.session()) && lastSeen() > event.at())
                        .findFirst()
                        .orElse(null);
    }

    /** Whether its session may have ended before this moment. */
    boolean mayBeOverAt(long moment) {
        return session == null || lastSeen() < moment;
    }

    @Nullable
    Event first(Event.Kind kind) {
        return events.stream().filter(event -> event.kind() == kind).findFirst().orElse(null);
    }

    /** Since when the session is certainly gone; {@link Long#MAX_VALUE} if it lives. */
    long goneSince() {
        return life == null ? Long.MAX_VALUE : life.missing();
    }

    boolean overlaps(Section other) {
        return from() < other.until() && other.from() < until();
    }

    boolean isOfSameSessionAs(Section other) {
        return Objects.equals(session, other.session) && entered.worker().equals(other.entered.worker());
    }

    @Override
    public String toString() {
        return entered.section() + (isExclusive() ? " exclusive " : " shared ") + entered.key() + " [" + from() + ", "
                + until() + "] on " + session + (entered.token() == 0 ? "" : " with token " + entered.token());
    }
}
