package dev.pals.proof;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/** How often each fault was struck, how long it took until a program was told, and until a lock was had again. */
final class FaultTable {
    /** What comes later has another reason. */
    private static final long LONGEST = TimeUnit.SECONDS.toMicros(20);

    private static final class Row {
        private int count;
        private final List<Long> told = new ArrayList<>();
        private final List<Long> grantedAgain = new ArrayList<>();
    }

    private final Map<Fault, Row> rows = new EnumMap<>(Fault.class);

    void add(History history) {
        for (FaultRecord fault : history.faults()) {
            Row row = rows.computeIfAbsent(fault.fault(), any -> new Row());
            row.count++;
            first(history, fault, event -> isTold(event, fault)).ifPresent(row.told::add);
            first(
                            history,
                            fault,
                            event -> event.kind() == Event.Kind.ENTERED
                                    && fault.keys().contains(event.key()))
                    .ifPresent(row.grantedAgain::add);
        }
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

    /** Aligned lines. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(String.format(
                "%-30s %6s   %10s %10s   %14s %10s%n",
                "fault", "count", "told after", "worst", "granted again", "worst"));
        rows.forEach((fault, row) -> text.append(String.format(
                "%-30s %6d   %10s %10s   %14s %10s%n",
                fault.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                row.count,
                median(row.told),
                worst(row.told),
                median(row.grantedAgain),
                worst(row.grantedAgain))));
        return text.append(String.format("%-30s %6d%n", "all", count())).toString();
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
