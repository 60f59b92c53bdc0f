package dev.pals.proof;

import dev.pals.proof.Violation.Rule;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds what must not happen in a history. What it excuses, it excuses because of what PostgreSQL's sessions showed.
 */
final class HistoryChecker {
    /**
     * A loss is told that long after the fault, at the latest. What a silent network has swallowed is cut at its end.
     */
    private static final long AFTERMATH = TimeUnit.SECONDS.toMicros(5);

    /** A locked transaction commits at the latest that long after it has found that it still has its lock. */
    private static final long COMMIT = TimeUnit.SECONDS.toMicros(2);

    /** An answer may be on its way for 400 ms, and the lock be handed on for 20 ms from then. */
    private static final long HANDED_ON = TimeUnit.MILLISECONDS.toMicros(500);

    /** The moment of a fault is noted before it is struck, by another clock reading. */
    private static final long BEFOREHAND = TimeUnit.MILLISECONDS.toMicros(100);

    private final History history;
    private final long toldWithin;
    private final Map<String, SessionLife> lives;
    private final Map<String, List<SessionLife>> livesByWorker;
    private final List<Section> sections;
    private final Map<String, Section> bySectionAndKey = new HashMap<>();
    private final Map<String, Event> losses = new HashMap<>();
    /** When the sessions of all keys of a request certainly lived for the last time; 0 where that is not known. */
    private final Map<String, Long> allSessionsLived = new HashMap<>();

    private final Set<Section> uncertain = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<Violation> violations = new ArrayList<>();
    private int writes;
    private int excusedWrites;
    private int lossesDue;
    private int lossesUncalledFor;

    private HistoryChecker(History history) {
        this.history = history;
        toldWithin = TimeUnit.NANOSECONDS.toMicros(history.toldWithin().toNanos());
        lives = history.looks().lives(history.events());
        livesByWorker = lives.values().stream().collect(Collectors.groupingBy(SessionLife::worker));
        sections = Section.of(history.events(), lives);
        sections.forEach(section -> bySectionAndKey.put(section.entered().section() + " " + section.key(), section));
        history.events().stream()
                .filter(event -> event.kind() == Event.Kind.LOST)
                .forEach(event ->
                        losses.merge(event.section(), event, (one, other) -> one.at() < other.at() ? one : other));
    }

    static Verdict check(History history) {
        return new HistoryChecker(history).verdict();
    }

    private Verdict verdict() {
        violations.addAll(history.atRest());
        byKey(sections, Section::key).values().forEach(this::checkSections);
        sections.forEach(
                section -> allSessionsLived.merge(section.entered().section(), certainlyLived(section), Math::min));
        sections.forEach(this::checkLoss);
        checkFailures();
        checkWrites();
        return new Verdict(
                violations, sections.size(), uncertain.size(), writes, excusedWrites, lossesDue, lossesUncalledFor);
    }

    private void add(Rule rule, String what) {
        violations.add(new Violation(rule, what));
    }

    private static <T> Map<Long, List<T>> byKey(List<T> all, Function<T, Long> key) {
        return all.stream().collect(Collectors.groupingBy(key));
    }

    // ---- sections ----

    private void checkSections(List<Section> ofKey) {
        List<Section> certain = new ArrayList<>();
        List<Section> active = new ArrayList<>();
        for (Section section : ofKey) {
            active.removeIf(other -> other.until() <= section.from());
            if (section.isAmbiguous() || isOfAnEndedSession(section, active)) {
                uncertain.add(section);
                continue;
            }
            checkLock(section);
            active.forEach(other -> checkExclusion(other, section));
            active.add(section);
            certain.add(section);
        }
        checkTokens(certain);
    }

    /**
     * Whether it may have been another session of this worker that granted it, and has ended before the section could
     * look for it: then it found none, or the one of another section of the same worker. That one had an exclusive lock
     * only after the other session's end.
     */
    private boolean isOfAnEndedSession(Section section, List<Section> active) {
        return endedBeforeItsLook(section)
                .anyMatch(life -> section.session() == null
                        || !section.isExclusive()
                        || active.stream()
                                .anyMatch(
                                        other -> section.isOfSameSessionAs(other) && life.lastSeen() <= other.from()));
    }

    /** Whether it came in time after the end of something; a worker that is stopped has longer. */
    private boolean isInTime(String worker, long end, long moment, long limit) {
        long stopped = history.faults().stream()
                .filter(fault ->
                        fault.fault() == Fault.WORKER_STOPPED || fault.fault() == Fault.WORKER_STOPPED_BEYOND_LEASE)
                .filter(fault -> fault.reaches(worker))
                .mapToLong(fault -> Math.max(0, Math.min(moment, fault.until()) - Math.max(end, fault.from())))
                .sum();
        return moment - end <= limit + stopped;
    }

    /**
     * Those that may have granted it. Where it found no session, that one ended so lately that its program need not
     * know yet; there a lock is also handed on to one that asks just after the end, since nothing is sent for that.
     */
    private Stream<SessionLife> endedBeforeItsLook(Section section) {
        Event entered = section.entered();
        return livesByWorker.getOrDefault(entered.worker(), List.of()).stream()
                .filter(life -> section.session() != null
                        ? life.mayHaveEndedWithin(entered.asked(), entered.at())
                        : life.mayHaveEndedWithin(0, entered.at())
                                && isInTime(entered.worker(), life.missing(), entered.asked(), HANDED_ON)
                                && isInTime(entered.worker(), life.missing(), entered.at(), toldWithin));
    }

    private void checkLock(Section section) {
        if (section.session() == null) {
            add(Rule.NOT_IN_POSTGRESQL, section.toString());
        }
        Event vanished = section.vanishedAt();
        if (vanished != null) {
            add(Rule.LOCK_VANISHED, section + ", by " + vanished.kind() + " at " + vanished.at());
        }
    }

    private void checkExclusion(Section one, Section other) {
        if (one.overlaps(other) && (one.isExclusive() || other.isExclusive())) {
            add(ruleOf(one, other), one + " and " + other);
        }
    }

    private static Rule ruleOf(Section one, Section other) {
        if (one.several() || other.several()) {
            return Rule.SEVERAL_KEYS;
        }
        return one.isExclusive() && other.isExclusive() ? Rule.EXCLUSIVE_EXCLUSIVE : Rule.SHARED_EXCLUSIVE;
    }

    private void checkTokens(List<Section> ofKey) {
        long greatest = ofKey.isEmpty()
                ? 0
                : history.before().tokens().getOrDefault(ofKey.get(0).key(), 0L);
        for (Section section : ofKey) {
            long token = section.entered().token();
            if (token != 0 && section.session() != null) {
                if (token <= greatest) {
                    add(Rule.TOKEN_NOT_GROWING, section + ", after " + greatest);
                }
                greatest = Math.max(greatest, token);
            }
        }
    }

    // ---- losses ----

    private long certainlyLived(Section section) {
        return section.life() == null || uncertain.contains(section) ? 0 : section.lastSeen();
    }

    private void checkLoss(Section section) {
        String worker = section.entered().worker();
        Event lost = losses.get(section.entered().section());
        long gone = goneSince(section);
        // A transaction is told when it is to be committed, however long after.
        if (lost != null && !isExplained(section, section.isTransaction() ? Math.min(gone, lost.at()) : lost.at())) {
            add(
                    Rule.LOSS_UNEXPLAINED,
                    section + ", lost at " + lost.at() + ": " + lost.note() + ", after " + struckBefore(section, lost));
        }
        // Whatever was struck: who is told of a loss has no session any more, or it ends soon.
        long allLived = allSessionsLived.getOrDefault(section.entered().section(), 0L);
        if (lost != null && !isInTime(worker, lost.at(), allLived, toldWithin)) {
            add(
                    Rule.LOSS_UNEXPLAINED,
                    section + ", lost at " + lost.at() + ": " + lost.note() + ", and all its sessions lived at "
                            + allLived);
        }
        Event left = section.first(Event.Kind.LEFT);
        if (left == null) {
            return;
        }
        lossesUncalledFor += isExplained(section, left.at()) ? 0 : 1;
        boolean told = lost != null && lost.at() <= left.at();
        boolean late = !isInTime(worker, gone, left.at(), toldWithin);
        if (!section.isTransaction() && late && !told) {
            add(Rule.LOSS_NOT_TOLD, section + ", whose session was gone at " + gone);
        }
        lossesDue += !section.isTransaction() && (late || (told && gone != Long.MAX_VALUE)) ? 1 : 0;
    }

    /** Of one that had no session any more when it looked, since the last that it may have had was gone. */
    private long goneSince(Section section) {
        return section.session() != null
                ? section.goneSince()
                : endedBeforeItsLook(section)
                        .mapToLong(SessionLife::missing)
                        .max()
                        .orElse(Long.MAX_VALUE);
    }

    /** For whoever looks for the reason. */
    private List<FaultRecord> struckBefore(Section section, Event lost) {
        return history.faults().stream()
                .filter(fault -> fault.reaches(section.entered().worker())
                        && fault.from() - BEFOREHAND <= lost.at()
                        && fault.until() + 3 * AFTERMATH >= lost.at())
                .toList();
    }

    /** Whether a fault may be the reason for its loss at this moment. */
    private boolean isExplained(Section section, long moment) {
        return history.faults().stream()
                .anyMatch(fault -> fault.fault().mayEndSessions()
                        && fault.reaches(section.entered().worker())
                        && moment >= fault.from() - BEFOREHAND
                        && isInTime(section.entered().worker(), fault.until(), moment, AFTERMATH));
    }

    private void checkFailures() {
        history.events().stream()
                .filter(event ->
                        event.kind() == Event.Kind.FAILED && event.note().startsWith(Worker.UNTYPED))
                .forEach(event -> add(Rule.UNTYPED_FAILURE, event.section() + ": " + event.note()));
    }

    // ---- writes ----

    private void checkWrites() {
        Map<Long, List<Event>> plain = byKey(written(Event.Kind.WROTE), Event::key);
        Map<Long, List<Event>> fenced = byKey(written(Event.Kind.WROTE_FENCED), Event::key);
        history.after()
                .counters()
                .forEach((key, after) -> checkChain(
                        "counter", key, history.before().counters(), plain.getOrDefault(key, List.of()), after));
        history.after()
                .fenced()
                .forEach((key, after) -> checkChain(
                        "fenced counter", key, history.before().fenced(), fenced.getOrDefault(key, List.of()), after));
        fenced.values().forEach(this::checkFence);
        checkTransactions();
        checkDoubled();
        checkAcknowledged();
    }

    private List<Event> written(Event.Kind kind) {
        return history.events().stream()
                .filter(event -> event.kind() == kind)
                .sorted(Comparator.comparingLong(Event::committed).thenComparingLong(Event::value))
                .toList();
    }

    /** Each write has read what the one before has written. */
    private void checkChain(String what, long key, Map<Long, Long> before, List<Event> ofKey, long after) {
        long value = before.getOrDefault(key, 0L);
        Event last = null;
        for (Event write : ofKey) {
            boolean excused = isExcused(write) || isOverwriteOfExcused(last, write);
            writes++;
            excusedWrites += excused ? 1 : 0;
            if (write.value() != value + 1 && !excused) {
                add(
                        Rule.LOST_WRITE,
                        "the " + what + " of " + key + " was " + value + by(last) + ", and " + write.section()
                                + " made it " + write.value() + " at " + write.committed());
            }
            value = write.value();
            last = write;
        }
        if (value != after) {
            add(Rule.LOST_WRITE, "the " + what + " of " + key + " was " + value + by(last) + ", and is " + after);
        }
    }

    private static String by(@Nullable Event last) {
        return last == null ? "" : " by " + last.section() + " at " + last.committed();
    }

    /** A plain write, of a section whose session may have ended before it was committed. No fenced one is excused. */
    private boolean isExcused(Event write) {
        Section section = bySectionAndKey.get(write.section() + " " + write.key());
        return write.kind() == Event.Kind.WROTE
                && section != null
                && (uncertain.contains(section) || section.mayBeOverAt(write.committed()));
    }

    /** The write before came from a section that was over, while this one was in its own. */
    private boolean isOverwriteOfExcused(@Nullable Event last, Event write) {
        Section section = bySectionAndKey.get(write.section() + " " + write.key());
        return last != null && section != null && isExcused(last) && last.committed() >= section.from();
    }

    private void checkFence(List<Event> ofKey) {
        long newest = -1;
        String whose = "";
        for (Event write : ofKey) {
            if (write.token() < newest
                    || (write.token() == newest && !write.section().equals(whose))) {
                add(
                        Rule.STALE_WRITE_ACCEPTED,
                        write.section() + " wrote with token " + write.token() + " at " + write.committed() + ", after "
                                + whose + " with " + newest);
            } else {
                newest = write.token();
                whose = write.section();
            }
        }
    }

    private void checkTransactions() {
        for (Section section : sections) {
            long gone = goneSince(section);
            section.events().stream()
                    .filter(event -> event.isWrite() && section.isTransaction())
                    .filter(write -> !isInTime(write.worker(), gone, write.committed(), COMMIT))
                    .forEach(write -> add(
                            Rule.COMMITTED_WITHOUT_LOCK,
                            section + ", whose session was gone at " + gone + ", at " + write.committed()));
        }
    }

    private void checkDoubled() {
        Set<String> done = new HashSet<>();
        history.events().stream()
                .filter(Event::isWrite)
                .filter(write -> !done.add(write.op() + " " + write.key() + " " + write.kind()))
                .forEach(write -> add(Rule.DOUBLED_WRITE, write.op() + " on " + write.key() + " at " + write.at()));
    }

    private void checkAcknowledged() {
        Set<String> done =
                history.events().stream().filter(Event::isWrite).map(Event::op).collect(Collectors.toSet());
        Stream<Event> acknowledged = history.events().stream().filter(event -> event.kind() == Event.Kind.ACKNOWLEDGED);
        acknowledged
                .filter(event -> !done.contains(event.op()))
                .forEach(event ->
                        add(Rule.LOST_WRITE, Objects.requireNonNull(event.op()) + " was committed and is not there"));
    }
}
