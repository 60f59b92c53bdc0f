package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.schema;
import static org.jooq.impl.SQLDataType.BIGINT;
import static org.jooq.impl.SQLDataType.BOOLEAN;
import static org.jooq.impl.SQLDataType.INTEGER;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.jooq.AdvisoryLocks;
import dev.pals.jooq.RowClaim;
import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.SnapshotBeforeLockException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jooq.Condition;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.ExecuteContext;
import org.jooq.ExecuteListener;
import org.jooq.Record;
import org.jooq.Result;
import org.jooq.SQLDialect;
import org.jooq.TableField;
import org.jooq.conf.MappedSchema;
import org.jooq.conf.RenderMapping;
import org.jooq.conf.Settings;
import org.jooq.conf.StatementType;
import org.jooq.conf.ThrowExceptions;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.impl.TableImpl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A claim returns the rows whose locks it has taken, and has taken no others; the raw conditions do neither. */
final class RowClaimTest extends LockerFixture {
    private static final LockFamily<Long> FAMILY = LockFamily.byLong("row-claim", "job");
    private static final LockKey GATE = LockKey.of("row-claim", "gate");
    private static final Job JOB = new Job("row_claim");
    private static final Condition OPEN = JOB.done.isFalse();
    private static final int JOBS = 20;
    private static final long PATIENCE_SECONDS = TestDatabase.PATIENCE.toSeconds();

    /** As jOOQ's code generator would have it; without a primary key, for what an odd table may hold. */
    private static final class Job extends TableImpl<Record> {
        private static final long serialVersionUID = 1L;

        final TableField<Record, Long> id = createField(name("id"), BIGINT);
        final TableField<Record, Integer> number = createField(name("number"), INTEGER);
        final TableField<Record, Integer> priority = createField(name("priority"), INTEGER);
        final TableField<Record, Boolean> done = createField(name("done"), BOOLEAN);

        Job(String schema) {
            super(name("job"), schema(name(schema)));
        }
    }

    private final DSLContext dsl;

    RowClaimTest(TestDatabase database) {
        super(database, "row-claim");
        dsl = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    }

    /** The ids are 1 to 20; the priorities fall as the ids rise, and no index has them. */
    @BeforeEach
    void createJobs() {
        dsl.createSchema(JOB.getSchema()).execute();
        dsl.createTable(JOB).columns(JOB.id, JOB.number, JOB.priority, JOB.done).execute();
        insertJobs(1, JOBS);
    }

    @AfterEach
    void dropJobs() {
        dsl.dropSchema(JOB.getSchema()).cascade().execute();
    }

    // ---- what is claimed ----

    @ParameterizedTest
    @ValueSource(ints = {1, 7, JOBS, Integer.MAX_VALUE})
    void fetch_claimsTheFirstRowsInOrderAndLocksNoOthers(int limit) {
        dsl.transaction(trx -> {
            Result<Record> mine = claim(trx).where(OPEN).orderBy(JOB.priority).fetch(limit);

            assertThat(ids(mine)).isEqualTo(descendingFrom(JOBS, Math.min(limit, JOBS)));
            assertThat(lockedBy(trx)).containsExactlyInAnyOrderElementsOf(ids(mine));
        });
    }

    @Test
    void fetch_withoutOrderOrCondition_claimsAsManyAsItMay() {
        dsl.transaction(trx -> {
            Result<Record> mine = claim(trx).fetch(5);

            assertThat(mine).hasSize(5);
            assertThat(lockedBy(trx)).containsExactlyInAnyOrderElementsOf(ids(mine));
        });
    }

    @Test
    void fetch_severalConditions_allHold() {
        dsl.transaction(trx -> {
            Result<Record> mine = claim(trx)
                    .where(JOB.id.lt(4L).or(JOB.id.gt(18L)))
                    .where(JOB.id.notIn(DSL.select(JOB.id).from(JOB).where(JOB.priority.eq(-1))))
                    .where(DSL.condition("{0} <> 19", JOB.id))
                    .orderBy(JOB.number.desc(), JOB.id)
                    .fetch(10);

            assertThat(ids(mine)).containsExactly(20L, 2L, 3L);
            assertThat(lockedBy(trx)).containsExactlyInAnyOrder(20L, 2L, 3L);
        });
    }

    @Test
    void fetch_nothingToClaim_isEmptyAndLocksNothing() {
        dsl.deleteFrom(JOB).execute();

        dsl.transaction(trx -> {
            assertThat(claim(trx).where(OPEN).orderBy(JOB.id).fetch(3)).isEmpty();
            assertThat(lockedBy(trx)).isEmpty();
        });
    }

    @Test
    void fetch_rowsThatOthersHave_passesThemOverWithoutWaiting() throws Exception {
        try (LockHandle first = locker().exclusive(FAMILY.of(1L)).acquire();
                LockHandle third = locker().shared(FAMILY.of(3L)).acquire();
                Connection other = database.begin()) {
            assertThat(ids(claim(on(other)).where(JOB.id.le(6L)).orderBy(JOB.id).fetch(2)))
                    .containsExactly(2L, 4L);

            dsl.transaction(trx -> {
                assertThat(ids(claim(trx).where(JOB.id.le(6L)).orderBy(JOB.id).fetch(3)))
                        .containsExactly(5L, 6L);
                assertThat(lockedBy(trx)).containsExactlyInAnyOrder(5L, 6L);
                assertThat(claim(trx).where(JOB.id.le(4L)).fetch(3)).isEmpty();
            });
            assertThat(List.of(first.isHeld(), third.isHeld())).containsOnly(true);
        }
    }

    @Test
    void fetch_inTheSameTransaction_claimsItsOwnRowsAgain() {
        dsl.transaction(trx -> {
            RowClaim<Record> claim = claim(trx).orderBy(JOB.id);

            assertThat(ids(claim.fetch(2))).containsExactly(1L, 2L);
            assertThat(ids(claim.fetch(3))).containsExactly(1L, 2L, 3L);
            assertThat(lockedBy(trx)).containsExactlyInAnyOrder(1L, 2L, 3L);
        });
    }

    @Test
    void fetch_rowsWithoutId_passesThemOver() {
        dsl.insertInto(JOB, JOB.priority, JOB.done).values(-100, false).execute();

        dsl.transaction(trx ->
                assertThat(ids(claim(trx).orderBy(JOB.priority).fetch(2))).containsExactly(20L, 19L));
    }

    @Test
    void fetch_integerFamilyAndColumn_claimsByTheKeysOfTheFamily() throws SQLException {
        LockFamily<Integer> family = LockFamily.byInteger("row-claim", "number");
        try (Connection other = database.begin()) {
            assertThat(TransactionLocks.in(on(other))
                            .exclusive(family.of(-1), family.of(-3))
                            .tryAcquire())
                    .isTrue();

            dsl.transaction(trx -> assertThat(ids(TransactionLocks.in(trx)
                            .claim(family, JOB.number)
                            .where(JOB.number.lt(0))
                            .orderBy(JOB.number.desc())
                            .fetch(2)))
                    .containsExactly(5L, 7L));
        }
    }

    @Test
    void rows_belongToTheTransaction() {
        dsl.transaction(
                trx -> assertThat(claim(trx).fetch(1).get(0).configuration()).isSameAs(trx));
        Settings detached = new Settings().withAttachRecords(false);
        with(detached)
                .transaction(trx ->
                        assertThat(claim(trx).fetch(1).get(0).configuration()).isNull());
    }

    // ---- for how long ----

    @Test
    void locks_endWithTheTransactionOrItsSavepoint() {
        dsl.transaction(trx -> {
            claim(trx).where(JOB.id.eq(1L)).fetch(1);
            trx.dsl().transaction(nested -> claim(nested).where(JOB.id.eq(2L)).fetch(1));
            assertThatThrownBy(() -> trx.dsl().transaction(nested -> {
                        claim(nested).where(JOB.id.eq(3L)).fetch(1);
                        throw new IllegalStateException("nested");
                    }))
                    .hasMessage("nested");

            assertThat(lockedBy(trx)).containsExactlyInAnyOrder(1L, 2L);
        });
        assertThat(database.advisoryRows()).isEmpty();

        assertThatThrownBy(() -> dsl.transaction(trx -> {
                    claim(trx).fetch(2);
                    throw new IllegalStateException("outer");
                }))
                .hasMessage("outer");
        assertThat(database.advisoryRows()).isEmpty();
    }

    // ---- what is refused ----

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
    void fetch_limitBelowOne_isAnInvalidArgument(int limit) {
        dsl.transaction(trx -> assertThatThrownBy(() -> claim(trx).fetch(limit))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("limit is " + limit));
    }

    @Test
    void claim_familyThatWasRenamed_isRefused() {
        assertThatThrownBy(() -> TransactionLocks.in(dsl).claim(RenamedLocks.ACCOUNT, JOB.id))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("formerly");
    }

    @Test
    void fetch_outsideOfATransaction_isRefusedAndNothingStaysLocked() throws SQLException {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.url());
        config.setAutoCommit(false);
        config.setMaximumPoolSize(1);
        try (HikariDataSource withoutAutocommit = new HikariDataSource(config);
                Connection connection = DriverManager.getConnection(database.url())) {
            for (DSLContext outside : List.of(dsl, on(connection), DSL.using(withoutAutocommit, SQLDialect.POSTGRES))) {
                assertThatThrownBy(() -> claim(outside).fetch(1))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContainingAll("row-claim.job", "outside of a transaction");
                assertThat(database.advisoryRows()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"repeatable read", "serializable"})
    void fetch_snapshotOlderThanTheLock_isRefusedAndNothingIsLocked(String isolation) {
        dsl.transaction(trx -> {
            trx.dsl().execute("set transaction isolation level " + isolation);
            assertThatThrownBy(() -> claim(trx).fetch(1)).isInstanceOf(SnapshotBeforeLockException.class);
            assertThat(lockedBy(trx)).isEmpty();
        });
    }

    @ParameterizedTest
    @ValueSource(longs = {LockFamily.ID_LIMIT, -LockFamily.ID_LIMIT, Long.MAX_VALUE})
    void fetch_idOutOfRange_isPostgresqlsErrorAndTheTransactionGoesOn(long id) {
        dsl.insertInto(JOB, JOB.id, JOB.priority).values(id, 100).execute();

        dsl.transaction(trx -> {
            assertThatThrownBy(() -> claim(trx).orderBy(JOB.priority).fetch(JOBS + 1))
                    .isInstanceOfSatisfying(
                            DataAccessException.class,
                            e -> assertThat(e.sqlState()).isEqualTo("22003"));
            assertThat(lockedBy(trx)).isEmpty();
            assertThat(claim(trx).orderBy(JOB.priority).fetch(JOBS)).hasSize(JOBS);
        });
    }

    @Test
    void fetch_rowsWithTheSameId_isRefusedAndNothingIsLocked() {
        insertJobs(2, 2);

        dsl.transaction(trx -> {
            for (int limit : new int[] {2, 3, 4}) {
                assertThatThrownBy(() -> claim(trx).orderBy(JOB.id).fetch(limit))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContainingAll("\"row_claim\".\"job\"", "same id", "unique");
                assertThat(lockedBy(trx)).isEmpty();
            }
        });
    }

    @Test
    void fetch_conditionThatDependsOnTheLocks_isRefusedAndNothingIsLocked() {
        Condition unlocked = DSL.condition(
                "not exists (select from pg_locks where pid = pg_backend_pid()" + " and locktype = 'advisory')");

        dsl.transaction(trx -> {
            assertThatThrownBy(() -> claim(trx).where(unlocked).fetch(2))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("row-claim.job", "depend", "pg_backend_pid");
            assertThat(lockedBy(trx)).isEmpty();
        });
    }

    // ---- what happens meanwhile ----

    @Test
    void fetch_rowDoneBetweenTheStatementAndItsLock_isNeitherClaimedNorLocked() throws Exception {
        try (Connection gate = database.begin()) {
            Future<?> claim = claimThroughTheGate(gate, trx -> {
                Result<Record> mine = claim(trx)
                        .where(OPEN)
                        .where(AdvisoryLocks.transactionLockShared(GATE))
                        .orderBy(JOB.id)
                        .fetch(2);

                assertThat(ids(mine)).containsExactly(2L, 3L);
                assertThat(lockedBy(trx)).containsExactlyInAnyOrder(2L, 3L);
            });
            doJob(1L);
            gate.commit();

            claim.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** What the Javadoc of AdvisoryLocks says, and the negative control: it is the claim that asks again. */
    @Test
    void rawCondition_rowDoneBetweenTheStatementAndItsLock_isReturnedAsIfItWereOpen() throws Exception {
        try (Connection gate = database.begin()) {
            Future<?> raw = claimThroughTheGate(gate, trx -> {
                Result<Record> mine = trx.dsl()
                        .selectFrom(JOB)
                        .where(OPEN)
                        .and(AdvisoryLocks.transactionLockShared(GATE))
                        .and(AdvisoryLocks.tryTransactionLock(AdvisoryLocks.key(FAMILY, JOB.id)))
                        .orderBy(JOB.id)
                        .limit(1)
                        .fetch();

                assertThat(ids(mine)).containsExactly(1L);
                assertThat(mine.getValues(JOB.done)).containsExactly(false);
                assertThat(trx.dsl().fetchValue(JOB.done, JOB.id.eq(1L))).isTrue();
            });
            doJob(1L);
            gate.commit();

            raw.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** What the Javadoc of AdvisoryLocks says. */
    @Test
    void rawCondition_sortedWithoutAnIndex_locksMoreRowsThanItReturns() {
        dsl.transaction(trx -> {
            Result<Record> mine = trx.dsl()
                    .selectFrom(JOB)
                    .where(OPEN)
                    .and(AdvisoryLocks.tryTransactionLock(AdvisoryLocks.key(FAMILY, JOB.id)))
                    .orderBy(JOB.priority)
                    .limit(1)
                    .fetch();

            assertThat(mine).hasSize(1);
            assertThat(lockedBy(trx)).hasSizeGreaterThan(1);
        });
    }

    @Test
    void fetch_manyAtATime_doesEachJobOnceAndHoldsWhatItReturns() throws Exception {
        insertJobs(JOBS + 1, 600);
        List<Long> done = Collections.synchronizedList(new ArrayList<>());

        inEachOf(6, thread -> {
            while (dsl.fetchExists(JOB, OPEN)) {
                dsl.transaction(trx -> {
                    Result<Record> mine =
                            claim(trx).where(OPEN).orderBy(JOB.priority).fetch(1 + thread * 2);
                    assertThat(lockedBy(trx)).containsExactlyInAnyOrderElementsOf(ids(mine));
                    assertThat(mine.getValues(JOB.done)).doesNotContain(true);
                    trx.dsl()
                            .update(JOB)
                            .set(JOB.done, true)
                            .where(JOB.id.in(ids(mine)))
                            .execute();
                    done.addAll(ids(mine));
                });
            }
        });

        assertThat(done)
                .containsExactlyInAnyOrderElementsOf(
                        LongStream.rangeClosed(1, 600).boxed().toList());
    }

    /** Each row that is looked at takes a number. */
    @Test
    void fetch_withAnIndexInItsOrder_doesNotReadTheWholeTable() {
        insertJobs(JOBS + 1, 20_000);
        dsl.execute("create index on row_claim.job (priority)");
        dsl.execute("create index on row_claim.job (id)");
        dsl.execute("create sequence row_claim.looks");
        dsl.execute("analyze row_claim.job");
        Condition counted = field("nextval('row_claim.looks')", BIGINT).gt(0L);

        dsl.transaction(trx -> claim(trx).where(counted).orderBy(JOB.priority).fetch(10));

        // Once to find them and once to see how they are.
        assertThat(dsl.fetchValue("select last_value from row_claim.looks")).isEqualTo(20L);
    }

    // ---- the user's settings ----

    static Stream<Settings> settings() {
        return Stream.of(
                new Settings().withStatementType(StatementType.STATIC_STATEMENT),
                new Settings().withRenderSchema(false),
                new Settings().withThrowExceptions(ThrowExceptions.THROW_NONE),
                new Settings().withFetchSize(2),
                new Settings().withMaxRows(JOBS));
    }

    @ParameterizedTest
    @MethodSource("settings")
    void fetch_withTheUsersSettings_isTheSame(Settings settings) {
        with(settings).transaction(trx -> {
            trx.dsl().execute("set local search_path = row_claim");

            assertThat(ids(claim(trx).where(OPEN).orderBy(JOB.priority).fetch(5)))
                    .isEqualTo(descendingFrom(JOBS, 5));

            assertThat(lockedBy(trx)).hasSize(5);
            assertThatThrownBy(
                            () -> claim(trx).where(DSL.condition("1 / 0 = 1")).fetch(5))
                    .isInstanceOf(DataAccessException.class);
            assertThat(lockedBy(trx)).hasSize(5);
        });
    }

    @Test
    void fetch_tableThatTheUserMaps_claimsInTheOtherOne() {
        Settings mapped = new Settings()
                .withRenderMapping(new RenderMapping()
                        .withSchemata(new MappedSchema().withInput("app").withOutput("row_claim")));
        Job app = new Job("app");

        with(mapped)
                .transaction(trx -> assertThat(TransactionLocks.in(trx)
                                .claim(FAMILY, app.id)
                                .where(app.done.isFalse())
                                .orderBy(app.id)
                                .fetch(3)
                                .getValues(app.id))
                        .containsExactly(1L, 2L, 3L));
    }

    @Test
    void fetch_executeListenerThatThrows_leavesNothingLocked() {
        AtomicInteger statements = new AtomicInteger();
        Configuration failing = dsl.configuration().derive(ExecuteListener.onExecuteEnd(execution -> {
            if (isOnJobs(execution) && statements.incrementAndGet() == 2) {
                throw new IllegalStateException("after the second statement");
            }
        }));

        failing.dsl().transaction(trx -> {
            assertThatThrownBy(() -> claim(trx).fetch(2)).hasMessage("after the second statement");
            assertThat(lockedBy(trx)).isEmpty();
        });
        assertThat(statements).hasValue(2);
    }

    private static boolean isOnJobs(ExecuteContext execution) {
        return execution.sql() != null && execution.sql().contains("\"job\"");
    }

    // ---- helpers ----

    private interface Work {
        void run(Configuration trx) throws Exception;
    }

    /** Starts it, and returns when it waits for the gate: its statement has its snapshot then, and no lock yet. */
    private Future<?> claimThroughTheGate(Connection gate, Work work) {
        TransactionLocks.in(on(gate)).exclusive(GATE).acquire();
        Future<?> claim = inBackground(() -> {
            dsl.transaction(work::run);
            return true;
        });
        database.awaitWaiter(GATE);
        return claim;
    }

    /** As another worker does it: by its lock, which is free again after the commit. */
    private void doJob(long id) {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx).exclusive(FAMILY.of(id)).acquire();
            trx.dsl().update(JOB).set(JOB.done, true).where(JOB.id.eq(id)).execute();
        });
    }

    private void insertJobs(int from, int to) {
        dsl.insertInto(JOB, JOB.id, JOB.number, JOB.priority, JOB.done)
                .valuesOfRows(IntStream.rangeClosed(from, to)
                        .mapToObj(id -> DSL.row((long) id, id % 2 == 0 ? id : -id, -id, false))
                        .toList())
                .execute();
    }

    private static RowClaim<Record> claim(Configuration trx) {
        return TransactionLocks.in(trx).claim(FAMILY, JOB.id);
    }

    private static RowClaim<Record> claim(DSLContext trx) {
        return claim(trx.configuration());
    }

    private static List<Long> ids(Result<Record> rows) {
        return rows.getValues(JOB.id);
    }

    private static List<Long> descendingFrom(long first, int count) {
        return LongStream.range(0, count).map(i -> first - i).boxed().toList();
    }

    /** The ids whose locks the transaction's session holds. */
    private static List<Long> lockedBy(Configuration trx) throws SQLException {
        return trx.dsl().connectionResult(connection -> {
            int pid = on(connection).fetchSingle("select pg_backend_pid()").get(0, Integer.class);
            return TestDatabase.advisoryRows(connection).stream()
                    .filter(row -> row.pid() == pid && row.key() != GATE.lockHash())
                    .map(row -> row.key() ^ FAMILY.familyHash())
                    .toList();
        });
    }

    private static DSLContext on(Connection connection) {
        return DSL.using(connection, SQLDialect.POSTGRES);
    }

    private DSLContext with(Settings settings) {
        return DSL.using(database.dataSource(), SQLDialect.POSTGRES, settings);
    }
}
