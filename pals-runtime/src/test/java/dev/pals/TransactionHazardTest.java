package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.schema;
import static org.jooq.impl.SQLDataType.BIGINT;
import static org.jooq.impl.SQLDataType.BOOLEAN;
import static org.jooq.impl.SQLDataType.DECIMAL;

import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jooq.DSLContext;
import org.jooq.ExecuteContext;
import org.jooq.ExecuteListener;
import org.jooq.Record;
import org.jooq.SQLDialect;
import org.jooq.TableField;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.impl.TableImpl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What went wrong once in locked transactions, claims and locks of transactions. */
final class TransactionHazardTest extends LockerFixture {
    private static final LockKey KEY = LockKey.of("transaction-hazard", "key");
    private static final LockFamily<Long> FAMILY = LockFamily.byLong("transaction-hazard", "job");
    private static final Job JOB = new Job("transaction_hazard");

    private static final class Job extends TableImpl<Record> {
        private static final long serialVersionUID = 1L;
        final TableField<Record, Long> id = createField(name("id"), BIGINT);
        final TableField<Record, BigDecimal> amount = createField(name("amount"), DECIMAL);
        final TableField<Record, Boolean> done = createField(name("done"), BOOLEAN);

        Job(String schema) {
            super(name("job"), schema(name(schema)));
        }
    }

    private final DSLContext dsl;

    TransactionHazardTest(TestDatabase database) {
        super(database, "transaction-hazard");
        dsl = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    }

    @BeforeEach
    void create() {
        dsl.execute("create schema transaction_hazard");
        dsl.execute("create table transaction_hazard.job (id bigint, amount numeric, done boolean)");
        dsl.execute("insert into transaction_hazard.job select i, i + 0.25, false from generate_series(1, 20) i");
    }

    @AfterEach
    void drop() {
        dsl.execute("drop schema transaction_hazard cascade");
    }

    @Test
    void bodySwallowsAnErrorOfPostgres_begun_isNotReportedAsCommitted() {
        assertThatThrownBy(() -> locker().exclusive(KEY).transactionResult(dsl, trx -> {
                    trx.dsl().execute("insert into transaction_hazard.job values (92)");
                    assertThatThrownBy(() -> trx.dsl().execute("select 1/0")).isInstanceOf(DataAccessException.class);
                    return 1;
                }))
                .isInstanceOf(DataAccessException.class);
    }

    @Test
    void claim_sortsLongWhileOthersFinishTheFirstRows_getsOn() throws Exception {
        dsl.execute("truncate transaction_hazard.job");
        dsl.execute("insert into transaction_hazard.job select i, random(), false from generate_series(1, 200000) i");
        dsl.execute("create index on transaction_hazard.job (id)");
        dsl.execute("analyze transaction_hazard.job");
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger done = new AtomicInteger();
        List<Long> order = dsl.select(JOB.id)
                .from(JOB)
                .orderBy(JOB.amount, JOB.id)
                .limit(150_000)
                .fetch(JOB.id);
        Future<Integer> fast = inBackground(() -> {
            try (Connection connection = DriverManager.getConnection(database.url())) {
                connection.setAutoCommit(false);
                DSLContext worker = DSL.using(connection);
                while (!stop.get() && done.get() < order.size()) {
                    long id = Objects.requireNonNull(order.get(done.getAndIncrement()));
                    TransactionLocks.in(worker).exclusive(FAMILY.of(id)).acquire();
                    worker.execute("update transaction_hazard.job set done = true where id = ?", id);
                    connection.commit();
                }
            }
            return done.get();
        });
        try {
            dsl.transaction(trx -> assertThat(TransactionLocks.in(trx)
                            .claim(FAMILY, JOB.id)
                            .where(JOB.done.isFalse())
                            .orderBy(JOB.amount, JOB.id)
                            .fetch(5))
                    .hasSize(5));
            assertThat(done.get()).as("what the other had done by then").isLessThan(order.size());
        } finally {
            stop.set(true);
            fast.get();
        }
    }

    @Test
    void claim_numericColumnWithFractions_isRefusedByItsType() {
        dsl.transaction(trx -> assertThatThrownBy(() -> TransactionLocks.in(trx)
                        .claim(FAMILY, JOB.amount)
                        .where(JOB.done.isFalse())
                        .fetch(3))
                .isInstanceOf(IllegalArgumentException.class));
    }

    @Test
    void confirm_severalKeysOnOneSession_isOneRoundTrip() {
        Statements statements = new Statements();
        Locker locker = opened(Locker.builder("transaction-hazard")
                .dataSource(statements.of(database.dataSource()))
                .sessions(1)
                .maxSessions(1));
        try (LockHandle lock = locker.exclusive(List.of(FAMILY.of(1L), FAMILY.of(2L), FAMILY.of(3L)))
                .acquire()) {
            statements.forget();
            lock.confirm();
        }
        assertThat(statements.executed().stream().filter("select true"::equals)).hasSize(1);
    }

    @Test
    void tryAcquire_errorOutOfAListener_leavesNeitherSavepointNorLocks() throws Exception {
        ExecuteListener failing = new ExecuteListener() {
            private static final long serialVersionUID = 1L;

            @Override
            public void executeEnd(ExecuteContext ctx) {
                throw new AssertionError("listener");
            }
        };
        try (Connection connection = DriverManager.getConnection(database.url())) {
            connection.setAutoCommit(false);
            DSLContext trx = DSL.using(connection)
                    .configuration()
                    .deriveAppending(failing)
                    .dsl();
            assertThatThrownBy(() -> TransactionLocks.in(trx)
                            .exclusive(FAMILY.of(1L), FAMILY.of(2L))
                            .tryAcquire())
                    .hasMessage("listener");
            assertThat(database.isHeld(FAMILY.of(1L))).isFalse();
        }
    }
}
