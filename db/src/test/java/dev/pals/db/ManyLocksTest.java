package dev.pals.db;

import static dev.pals.db.jooq.pals.Tables.ADVISORY_LOCK;
import static dev.pals.db.jooq.pals.Tables.ADVISORY_WAIT;
import static dev.pals.db.jooq.pals.Tables.LOCK_NAME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The audit views where much is held: each name is found through an index, whatever the number of names and locks. */
class ManyLocksTest {
    private static final Logger LOG = LoggerFactory.getLogger(ManyLocksTest.class);
    private static final int SESSIONS = 200;
    private static final int LOCKS_OF_EACH = 50;
    private static final int FAMILIES = 500;

    @Test
    void views_tenThousandLocksOfTwoHundredSessions_nameAllOfThem() throws SQLException {
        try (PostgresServer server = PostgresServer.start();
                ScratchDatabase database = server.newDatabase()) {
            PGSimpleDataSource dataSource = new PGSimpleDataSource();
            dataSource.setUrl(database.url());
            PalsSchema.migrate(dataSource);
            DSLContext dsl = DSL.using(dataSource, SQLDialect.POSTGRES);
            dsl.insertInto(
                            LOCK_NAME,
                            LOCK_NAME.LOCK_HASH,
                            LOCK_NAME.APP_HASH,
                            LOCK_NAME.APP,
                            LOCK_NAME.NAME,
                            LOCK_NAME.NUMERIC_FAMILY)
                    .valuesOfRows(LongStream.range(0, FAMILIES)
                            .mapToObj(i -> DSL.row(family(i), 1L, "many", "family-" + i, true))
                            .toList())
                    .execute();
            dsl.execute("analyze pals.lock_name");
            List<Connection> sessions = new ArrayList<>();
            try {
                for (int i = 0; i < SESSIONS; i++) {
                    sessions.add(DriverManager.getConnection(database.url()));
                    hold(sessions.get(i), i);
                }
                long start = System.nanoTime();
                int named = dsl.fetchCount(ADVISORY_LOCK, ADVISORY_LOCK.NAME.isNotNull());
                long tookMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
                String plan = dsl.fetch("explain (analyze, costs off) select * from pals.advisory_lock")
                        .format();
                LOG.info(
                        "{} locks of {} sessions, {} families: {} ms\n{}", named, SESSIONS, FAMILIES, tookMillis, plan);

                assertThat(named).isEqualTo(SESSIONS * LOCKS_OF_EACH);
                assertThat(plan).contains("lock_name_by_family").doesNotContain("Seq Scan on lock_name");
                assertThat(dsl.fetchCount(ADVISORY_WAIT)).isZero();
            } finally {
                for (Connection session : sessions) {
                    session.close();
                }
            }
        }
    }

    /** Two readers, a writer, two readers, and so on: each waits behind all before it. */
    @Test
    void waits_ofTwoHundredSessionsForOneLock_areShown() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        List<Connection> sessions = new ArrayList<>();
        try (PostgresServer server = PostgresServer.start();
                ScratchDatabase database = server.newDatabase()) {
            PGSimpleDataSource dataSource = new PGSimpleDataSource();
            dataSource.setUrl(database.url());
            PalsSchema.migrate(dataSource);
            DSLContext dsl = DSL.using(dataSource, SQLDialect.POSTGRES);
            for (int i = 0; i < SESSIONS; i++) {
                String lock = i == 0 || i % 3 == 2 ? "pg_advisory_lock(1)" : "pg_advisory_lock_shared(1)";
                Connection session = DriverManager.getConnection(database.url());
                sessions.add(session);
                var unused = threads.submit(() -> {
                    try (Statement statement = session.createStatement()) {
                        return statement.execute("select " + lock);
                    }
                });
                awaitRows(dsl, i + 1);
            }
            long start = System.nanoTime();
            int shown = dsl.fetchCount(ADVISORY_WAIT);
            long tookMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            LOG.info("{} sessions that wait for one lock: {} rows in {} ms", SESSIONS - 1, shown, tookMillis);

            // Each is there, and most writers are behind two readers.
            assertThat(shown).isBetween(SESSIONS, 2 * SESSIONS);
        } finally {
            for (Connection session : sessions) {
                session.abort(Runnable::run);
            }
            threads.shutdownNow();
        }
    }

    private static void awaitRows(DSLContext dsl, int count) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (dsl.fetchSingle("select count(*) from pg_catalog.pg_locks where locktype = 'advisory'")
                        .get(0, Integer.class)
                < count) {
            assertThat(System.nanoTime()).as("%s rows", count).isLessThan(end);
        }
    }

    /** Far from each other: the upper 24 bits differ. */
    private static long family(long i) {
        return (i + 1) << 42;
    }

    private static void hold(Connection session, int number) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute(LongStream.range(0, LOCKS_OF_EACH)
                    .mapToObj(i -> "select pg_advisory_lock_shared("
                            + (family((number + i) % FAMILIES) ^ (number * 1000L + i)) + ")")
                    .collect(Collectors.joining("; ")));
        }
    }
}
