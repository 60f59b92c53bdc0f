package dev.pals;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;

/** The prepared statements that are executed on the connections of a data source: one is one round trip. */
final class Statements {
    private final List<String> executed = new CopyOnWriteArrayList<>();

    /** The same data source, whose statements are noted. */
    DataSource of(DataSource dataSource) {
        return TracedDataSource.of(dataSource, what -> {
            if (!what.equals(TracedDataSource.CONNECT)) {
                executed.add(what);
            }
        });
    }

    List<String> executed() {
        return executed;
    }

    void forget() {
        executed.clear();
    }
}
