package dev.pals.proof;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** How often each fault was struck, how long it took until a program was told, and until a lock was had again. */
final class FaultTable {
    /** What comes later has another reason. */
    private static final long LONGEST = TimeUnit.SECONDS.toMicros(20);

    private static final class Row {
        private int count;
        private final List<Long> told = new ArrayList<>();
        private final List<Long> hadAgain = new ArrayList<>();
    }

    private final Map<Fault, Row> rows = new EnumMap<>(Fault.class);
    /** How often programs were told by which exception. */
    private final Map<String, Integer> failures = new TreeMap<>();

    void add(History history) {
        history.events().stream()
                .filter(event -> event.kind() == Event.Kind.FAILED)
                .forEach(event -> failures.merge(exception(event.note()), 1, Integer::sum));
        for (FaultRecord fault : history.faults()) {
            Row row = rows.computeIfAbsent(fault.fault(), any -> new Row());
            row.count++;
            first(history, fault, event -> isTold(event, fault)).ifPresent(row.told::add);
            for (long key : fault.keys()) {
                first(history, fault, event -> event.kind() == Event.Kind.ENTERED && event.key() == key)
                        .ifPresent(row.hadAgain::add);
            }
        }
    }

    /** The simple name of the class, of a note such as {@code TRY: dev.pals.lock.LockException: why}. */
    private static String exception(String note) {
        String[] parts = note.split(": ", 3);
        return parts[1].substring(parts[1].lastIndexOf('.') + 1);
    }

    private interface Which {
        boolean test(Event event);
    }

    private static OptionalLong first(History history, FaultRecord fault, Which which) {
        return history.events().stream()
                .filter(event -> event.at() > fault.from() && event.at() <= fault.until() + LONGEST)
                .filter(which::test)
                .mapToLong(event -> event.at() - fault.from())
                .min();
    }

    /** A loss, or a request that failed, of a program that the fault could reach. */
    private static boolean isTold(Event event, FaultRecord fault) {
        return fault.fault().mayEndSessions()
                && (event.kind() == Event.Kind.LOST || event.kind() == Event.Kind.FAILED)
                && fault.reaches(event.worker());
    }

    int count() {
        return rows.values().stream().mapToInt(row -> row.count).sum();
    }

    /** Those that have hit somebody. */
    Set<Fault> struck() {
        return rows.keySet();
    }

    /** As Markdown. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        line(text, "fault", "count", "told after", "worst", "had again after", "worst");
        line(text, "---", "---:", "---:", "---:", "---:", "---:");
        rows.forEach((fault, row) -> line(
                text,
                fault.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                Integer.toString(row.count),
                median(row.told),
                worst(row.told),
                median(row.hadAgain),
                worst(row.hadAgain)));
        line(text, "all", Integer.toString(count()), "", "", "", "");
        text.append('\n');
        line(text, "requests and writes that failed with", "count");
        line(text, "---", "---:");
        failures.forEach((exception, count) -> line(text, exception, Integer.toString(count)));
        return text.toString();
    }

    private static void line(StringBuilder text, String... cells) {
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    private static String median(List<Long> micros) {
        return micros.isEmpty()
                ? "-"
                : millis(micros.stream()
                        .sorted()
                        .skip(micros.size() / 2)
                        .findFirst()
                        .orElseThrow());
    }

    private static String worst(List<Long> micros) {
        return micros.isEmpty()
                ? "-"
                : millis(micros.stream().max(Long::compare).orElseThrow());
    }

    private static String millis(long micros) {
        return TimeUnit.MICROSECONDS.toMillis(micros) + " ms";
    }
}
