package dev.pals.benchmarks.contender;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.val;

import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.conf.Settings;
import org.jooq.impl.DSL;

/** What comes to mind first with jOOQ: each cycle borrows a connection, and renders and runs two statements on it. */
final class PlainJooq implements Contender, Locks {
    private final Pool pool;
    private final DSLContext dsl;

    PlainJooq(Place place) {
        pool = new Pool(place.url());
        dsl = jooq(pool);
    }

    static DSLContext jooq(Pool pool) {
        return DSL.using(pool.connections(), SQLDialect.POSTGRES, new Settings().withExecuteLogging(false));
    }

    @Override
    public Locks locks() {
        return new SharedLocks(this);
    }

    @Override
    public boolean tryLocked(int key, Section section) throws Exception {
        return dsl.connectionResult(connection -> {
            DSLContext session = DSL.using(connection, dsl.dialect(), dsl.settings());
            if (!Boolean.TRUE.equals(session.select(field("pg_try_advisory_lock({0})", Boolean.class, val((long) key)))
                    .fetchSingle()
                    .value1())) {
                return false;
            }
            runAndUnlock(session, key, section, "pg_advisory_unlock({0})");
            return true;
        });
    }

    @Override
    public void locked(int key, Section section) throws Exception {
        locked(key, section, "pg_advisory_lock({0})", "pg_advisory_unlock({0})");
    }

    @Override
    public void reading(int key, Section section) throws Exception {
        locked(key, section, "pg_advisory_lock_shared({0})", "pg_advisory_unlock_shared({0})");
    }

    private void locked(int key, Section section, String lock, String unlock) {
        dsl.connection(connection -> {
            DSLContext session = DSL.using(connection, dsl.dialect(), dsl.settings());
            ask(session, lock, key);
            runAndUnlock(session, key, section, unlock);
        });
    }

    private static void runAndUnlock(DSLContext session, int key, Section section, String unlock) throws Exception {
        try {
            section.run();
        } finally {
            ask(session, unlock, key);
        }
    }

    private static void ask(DSLContext session, String function, int key) {
        session.select(field(function, Object.class, val((long) key))).fetch();
    }

    @Override
    public void transaction(int key, Work work) {
        dsl.transaction(trx -> {
            ask(trx.dsl(), "pg_advisory_xact_lock({0})", key);
            trx.dsl().connection(work::in);
        });
    }

    @Override
    public void close() {
        pool.close();
    }
}
