package dev.pals.proof;

import dev.pals.lock.LockMode;
import dev.pals.proof.History.Standing;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads what workers noted. */
final class HistoryReader {
    private static final String EVENTS = """
            select *, coalesce((extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::bigint, at) as committed
            from proof.event
            order by at
            """;

    private final Control control;

    HistoryReader(Control control) {
        this.control = control;
    }

    List<Event> events() {
        return control.rows(HistoryReader::event, EVENTS);
    }

    private static Event event(ResultSet row) throws SQLException {
        return new Event(
                Event.Kind.valueOf(row.getString("kind")),
                row.getLong("at"),
                row.getString("worker"),
                row.getString("section"),
                row.getLong("key"),
                LockMode.valueOf(row.getString("mode")),
                row.getString("session"),
                row.getLong("asked"),
                row.getLong("token"),
                row.getLong("value"),
                row.getString("op"),
                row.getLong("committed"),
                row.getString("note"));
    }

    /** Where everything stands after these events. */
    Standing standing(Map<Long, Long> tokensBefore, List<Event> events) {
        Map<Long, Long> tokens = new HashMap<>(tokensBefore);
        for (Event event : events) {
            tokens.merge(event.key(), event.token(), Math::max);
        }
        return new Standing(numbers("counter"), numbers("fenced"), tokens);
    }

    private Map<Long, Long> numbers(String table) {
        Map<Long, Long> numbers = new HashMap<>();
        control.rows(row -> numbers.put(row.getLong(1), row.getLong(2)), "select key, n from proof." + table);
        return numbers;
    }

    void forgetEvents() {
        control.call((Connection open) -> {
            try (var statement = open.createStatement()) {
                return statement.execute("truncate proof.event");
            }
        });
    }
}
