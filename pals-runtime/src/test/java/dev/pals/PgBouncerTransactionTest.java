package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;

import dev.pals.PgBouncer.PoolMode;
import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.TransactionalRunnable;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** The forms of locks that end with a transaction work through a pooler that gives a session away with it. */
final class PgBouncerTransactionTest extends LockerFixture {
    private static final LockKey COUNTER = LockKey.of("bouncer", "counter");
    private static final LockKey OTHER = LockKey.of("bouncer", "other");
    private static final Field<Integer> N = field(name("n"), Integer.class);
    private static final int THREADS = 8;
    private static final int TURNS = 25;
    /** Fewer than the threads: each transaction comes to whichever session is free. */
    private static final int SESSIONS = 3;

    private final DSLContext direct;

    PgBouncerTransactionTest(TestDatabase database) {
        super(database, "bouncer");
        direct = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    }

    @BeforeEach
    void makeCounter() {
        direct.execute("create table bounced (n int not null)");
        direct.execute("insert into bounced values (0)");
    }

    @AfterEach
    void dropCounter() {
        direct.execute("drop table bounced");
    }

    @Test
    void transactionLocks_moreClientsThanSessions_excludeAndLeaveNothing() throws Exception {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.TRANSACTION, SESSIONS)) {
            DSLContext dsl = dsl(bouncer);
            inManyThreads(work -> dsl.transaction(trx -> {
                TransactionLocks.in(trx)
                        .exclusive(COUNTER, OTHER)
                        .waitAtMost(Duration.ofSeconds(60))
                        .acquire();
                work.run(trx);
            }));
            assertThat(direct.fetchValue("select n from bounced")).isEqualTo(THREADS * TURNS);
            assertThat(database.advisoryRows()).isEmpty();
            dsl.transaction(
                    trx -> assertThat(trx.dsl().fetchValue("show lock_timeout")).isEqualTo("0"));
        }
    }

    @Test
    void lockedTransactions_throughThePooler_neverLoseAnUpdate() throws Exception {
        Locker locker = locker();
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.TRANSACTION, SESSIONS)) {
            DSLContext dsl = dsl(bouncer);
            inManyThreads(work -> locker.exclusive(COUNTER)
                    .waitAtMost(Duration.ofSeconds(60))
                    .transaction(dsl, trx -> {
                        trx.dsl().execute("set transaction isolation level repeatable read");
                        work.run(trx);
                    }));
            assertThat(direct.fetchValue("select n from bounced")).isEqualTo(THREADS * TURNS);
        }
    }

    private static DSLContext dsl(PgBouncer bouncer) {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(bouncer.url());
        return DSL.using(dataSource, SQLDialect.POSTGRES);
    }

    /** Each has all turns of its own; the work reads, adds in Java, and writes. */
    private void inManyThreads(Consumer<TransactionalRunnable> transaction) throws Exception {
        List<Future<?>> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(inBackground(() -> {
                for (int turn = 0; turn < TURNS; turn++) {
                    transaction.accept(PgBouncerTransactionTest::addOne);
                }
                return null;
            }));
        }
        for (Future<?> thread : threads) {
            thread.get(80, TimeUnit.SECONDS);
        }
    }

    private static void addOne(Configuration trx) {
        int n = trx.dsl().select(N).from(table(name("bounced"))).fetchSingle().value1();
        trx.dsl().update(table(name("bounced"))).set(N, n + 1).execute();
    }
}
