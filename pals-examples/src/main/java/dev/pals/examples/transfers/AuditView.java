package dev.pals.examples.transfers;

import static dev.pals.db.jooq.pals.Tables.ADVISORY_LOCK;

import java.util.List;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.Result;

/** Looks at {@code pals.advisory_lock}: who holds and who waits, by name. */
record AuditView(DSLContext dsl) {

    /** The whole view, as a table for a terminal. */
    String table() {
        Result<? extends Record> rows = dsl.select(
                        ADVISORY_LOCK.APPLICATION_NAME,
                        ADVISORY_LOCK.APP,
                        ADVISORY_LOCK.NAME,
                        ADVISORY_LOCK.MODE,
                        ADVISORY_LOCK.GRANTED,
                        ADVISORY_LOCK.PID,
                        ADVISORY_LOCK.BLOCKED_BY)
                .from(ADVISORY_LOCK)
                .orderBy(ADVISORY_LOCK.APPLICATION_NAME, ADVISORY_LOCK.NAME)
                .fetch();
        return rows.format();
    }

    /** The names of the locks that one application holds or waits for. */
    List<String> namesOf(String applicationName) {
        return dsl.select(ADVISORY_LOCK.NAME)
                .from(ADVISORY_LOCK)
                .where(ADVISORY_LOCK.APPLICATION_NAME.eq(applicationName))
                .orderBy(ADVISORY_LOCK.NAME.desc())
                .fetch(ADVISORY_LOCK.NAME);
    }
}
