package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;

import dev.pals.jooq.AdvisoryLocks;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.conf.MappedSchema;
import org.jooq.conf.RenderMapping;
import org.jooq.conf.RenderNameCase;
import org.jooq.conf.RenderQuotedNames;
import org.jooq.conf.Settings;
import org.jooq.conf.StatementType;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each condition does what its function of PostgreSQL does, and keys that PostgreSQL computes are those that Java
 * computes.
 */
@ExtendWith(TestDatabase.Extension.class)
final class AdvisoryLocksTest {
    private static final LockFamily<Long> ACCOUNT = LockFamily.byLong("bank", "account");
    private static final Field<Long> ID = field(name("id"), SQLDataType.BIGINT);
    private static final Table<?> ACCOUNT_42 = DSL.values(DSL.row(42L)).as(DSL.table(name("accounts")), ID);
    private static final int FIRST = -7;
    private static final int SECOND = -8;

    private final TestDatabase database;
    private final DSLContext dsl;

    AdvisoryLocksTest(TestDatabase database) {
        this.database = database;
        dsl = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    }

    // ---- the 21 functions ----

    private record Lock(
            String function,
            Function<LockKey, Condition> ofKey,
            Function<Field<Long>, Condition> ofNumber,
            BiFunction<Field<Integer>, Field<Integer>, Condition> ofIntegers) {

        static final Lock LOCK =
                new Lock("pg_advisory_lock", AdvisoryLocks::lock, AdvisoryLocks::lock, AdvisoryLocks::lock);
        static final Lock LOCK_SHARED = new Lock(
                "pg_advisory_lock_shared",
                AdvisoryLocks::lockShared,
                AdvisoryLocks::lockShared,
                AdvisoryLocks::lockShared);
        static final Lock TRY_LOCK = new Lock(
                "pg_try_advisory_lock", AdvisoryLocks::tryLock, AdvisoryLocks::tryLock, AdvisoryLocks::tryLock);
        static final Lock TRY_LOCK_SHARED = new Lock(
                "pg_try_advisory_lock_shared",
                AdvisoryLocks::tryLockShared,
                AdvisoryLocks::tryLockShared,
                AdvisoryLocks::tryLockShared);
        static final Lock UNLOCK =
                new Lock("pg_advisory_unlock", AdvisoryLocks::unlock, AdvisoryLocks::unlock, AdvisoryLocks::unlock);
        static final Lock UNLOCK_SHARED = new Lock(
                "pg_advisory_unlock_shared",
                AdvisoryLocks::unlockShared,
                AdvisoryLocks::unlockShared,
                AdvisoryLocks::unlockShared);
        static final Lock TRANSACTION_LOCK = new Lock(
                "pg_advisory_xact_lock",
                AdvisoryLocks::transactionLock,
                AdvisoryLocks::transactionLock,
                AdvisoryLocks::transactionLock);
        static final Lock TRANSACTION_LOCK_SHARED = new Lock(
                "pg_advisory_xact_lock_shared",
                AdvisoryLocks::transactionLockShared,
                AdvisoryLocks::transactionLockShared,
                AdvisoryLocks::transactionLockShared);
        static final Lock TRY_TRANSACTION_LOCK = new Lock(
                "pg_try_advisory_xact_lock",
                AdvisoryLocks::tryTransactionLock,
                AdvisoryLocks::tryTransactionLock,
                AdvisoryLocks::tryTransactionLock);
        static final Lock TRY_TRANSACTION_LOCK_SHARED = new Lock(
                "pg_try_advisory_xact_lock_shared",
                AdvisoryLocks::tryTransactionLockShared,
                AdvisoryLocks::tryTransactionLockShared,
                AdvisoryLocks::tryTransactionLockShared);

        static final List<Lock> ALL = List.of(
                LOCK,
                LOCK_SHARED,
                TRY_LOCK,
                TRY_LOCK_SHARED,
                UNLOCK,
                UNLOCK_SHARED,
                TRANSACTION_LOCK,
                TRANSACTION_LOCK_SHARED,
                TRY_TRANSACTION_LOCK,
                TRY_TRANSACTION_LOCK_SHARED);

        boolean takes() {
            return !function.contains("unlock");
        }

        boolean waits() {
            return !function.contains("_try_");
        }

        boolean isOfTransaction() {
            return function.contains("_xact_");
        }

        String mode() {
            return function.endsWith("_shared") ? "ShareLock" : "ExclusiveLock";
        }

        @Override
        public String toString() {
            return function;
        }
    }

    /** How a lock is named, and where pg_locks shows it: objsubid tells PostgreSQL's two key spaces apart. */
    private enum Form {
        KEY("bigint", ACCOUNT.of(42L).lockHash(), 1),
        COLUMN("bigint", ACCOUNT.of(42L).lockHash(), 1),
        INTEGERS("integer, integer", (long) FIRST << 32 | Integer.toUnsignedLong(SECOND), 2);

        final String arguments;
        final long key;
        final int objsubid;

        Form(String arguments, long key, int objsubid) {
            this.arguments = arguments;
            this.key = key;
            this.objsubid = objsubid;
        }

        Condition of(Lock lock) {
            return switch (this) {
                case KEY -> lock.ofKey.apply(ACCOUNT.of(42L));
                case COLUMN -> lock.ofNumber.apply(AdvisoryLocks.key(ACCOUNT, ID));
                case INTEGERS -> lock.ofIntegers.apply(DSL.val(FIRST), DSL.val(SECOND));
            };
        }
    }

    private record Held(long key, int objsubid, String mode) {
        static Held by(Lock lock, Form form) {
            return new Held(form.key, form.objsubid, lock.mode());
        }
    }

    static List<Lock> functions() {
        return Lock.ALL;
    }

    static Stream<Arguments> locks() {
        return Lock.ALL.stream()
                .filter(Lock::takes)
                .flatMap(lock -> Stream.of(Form.values()).map(form -> Arguments.of(lock, form)));
    }

    @ParameterizedTest
    @MethodSource("locks")
    void lock_isHeldInItsModeAndKeySpaceUntilItsScopeEnds(Lock lock, Form form) throws SQLException {
        try (Connection connection = database.begin()) {
            DSLContext session = on(connection);

            assertThat(answer(session, form.of(lock))).isTrue();

            assertThat(heldBy(session)).containsExactly(Held.by(lock, form));
            connection.commit();
            if (lock.isOfTransaction()) {
                assertThat(heldBy(session)).isEmpty();
            } else {
                assertThat(heldBy(session)).containsExactly(Held.by(lock, form));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("locks")
    void lock_whereAnotherHoldsIt_waitsOrIsFalse(Lock lock, Form form) throws SQLException {
        try (Connection holder = database.begin();
                Connection connection = database.begin()) {
            assertThat(answer(on(holder), form.of(Lock.TRANSACTION_LOCK))).isTrue();
            DSLContext session = on(connection);
            session.execute("set local lock_timeout = 20");

            if (lock.waits()) {
                assertThatThrownBy(() -> answer(session, form.of(lock)))
                        .isInstanceOfSatisfying(
                                DataAccessException.class,
                                e -> assertThat(e.sqlState()).isEqualTo("55P03"));
            } else {
                assertThat(answer(session, form.of(lock))).isFalse();
                assertThat(heldBy(session)).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void unlock_freesItsModeAndIsFalseOnceItIsFree(Form form) throws SQLException {
        try (Connection connection = database.begin()) {
            DSLContext session = on(connection);
            assertThat(answer(session, form.of(Lock.LOCK))).isTrue();
            assertThat(answer(session, form.of(Lock.LOCK_SHARED))).isTrue();

            assertThat(answer(session, form.of(Lock.UNLOCK))).isTrue();
            assertThat(heldBy(session)).containsExactly(Held.by(Lock.LOCK_SHARED, form));
            assertThat(answer(session, form.of(Lock.UNLOCK))).isFalse();

            assertThat(answer(session, form.of(Lock.UNLOCK_SHARED))).isTrue();
            assertThat(heldBy(session)).isEmpty();
            assertThat(answer(session, form.of(Lock.UNLOCK_SHARED))).isFalse();
        }
    }

    @Test
    void unlockAll_freesTheSessionsLocksOfBothKeySpacesAndNoneOfTheTransaction() throws SQLException {
        try (Connection connection = database.begin()) {
            DSLContext session = on(connection);
            locks().map(Arguments::get).forEach(lock -> answer(session, ((Form) lock[1]).of((Lock) lock[0])));

            assertThat(answer(session, AdvisoryLocks.unlockAll())).isTrue();

            assertThat(heldBy(session))
                    .containsExactlyInAnyOrder(
                            Held.by(Lock.TRANSACTION_LOCK, Form.KEY),
                            Held.by(Lock.TRANSACTION_LOCK_SHARED, Form.KEY),
                            Held.by(Lock.TRANSACTION_LOCK, Form.INTEGERS),
                            Held.by(Lock.TRANSACTION_LOCK_SHARED, Form.INTEGERS));
        }
    }

    /** Whoever adds one to PostgreSQL fails this test; the others tell that those offered are the right ones. */
    @Test
    void functions_ofPostgresql_areAllOffered() {
        Set<String> offered = new TreeSet<>(Set.of("pg_advisory_unlock_all()"));
        for (Lock lock : Lock.ALL) {
            for (Form form : Form.values()) {
                assertThat(DSL.using(SQLDialect.POSTGRES).render(form.of(lock)))
                        .contains("\"pg_catalog\".\"" + lock.function + "\"(");
                offered.add(lock.function + "(" + form.arguments + ")");
            }
        }

        assertThat(dsl.fetch("select proname || '(' || pg_get_function_identity_arguments(oid) || ')'"
                                + " from pg_proc where proname like '%advisory%'"
                                + " and pronamespace = 'pg_catalog'::regnamespace")
                        .getValues(0, String.class))
                .hasSize(21)
                .containsExactlyInAnyOrderElementsOf(offered);
    }

    @ParameterizedTest
    @MethodSource("functions")
    void lock_keyThatWasRenamed_isRefused(Lock lock) {
        assertThatThrownBy(() -> lock.ofKey.apply(RenamedLocks.INVOICE_CLOSE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("renamed.invoice-close", "renamed.invoice-run", "formerly");
    }

    // ---- where they stand, and with which settings ----

    @Test
    void conditions_inWhereSelectAndFieldsOfFields_areEvaluated() throws SQLException {
        try (Connection connection = database.begin()) {
            DSLContext session = on(connection);
            Condition taken = AdvisoryLocks.tryTransactionLock(ACCOUNT.of(1L));

            assertThat(session.selectFrom(ACCOUNT_42).where(taken).fetch(ID)).containsExactly(42L);
            assertThat(session.selectFrom(ACCOUNT_42).where(taken.not()).fetch(ID))
                    .isEmpty();
            assertThat(session.select(ID, taken.as("taken"))
                            .from(ACCOUNT_42)
                            .fetchSingle()
                            .intoList())
                    .containsExactly(42L, true);
            assertThat(session.select(DSL.when(taken, "mine").otherwise("taken"))
                            .fetchSingle()
                            .value1())
                    .isEqualTo("mine");
            assertThat(session.select(DSL.count().filterWhere(taken))
                            .from(ACCOUNT_42)
                            .fetchSingle()
                            .value1())
                    .isEqualTo(1);
        }
    }

    static Stream<Settings> settings() {
        return Stream.of(
                new Settings().withStatementType(StatementType.STATIC_STATEMENT),
                new Settings().withRenderSchema(false),
                new Settings()
                        .withRenderMapping(new RenderMapping()
                                .withDefaultSchema("public")
                                .withSchemata(
                                        new MappedSchema().withInput("app").withOutput("tenant"))),
                new Settings().withRenderQuotedNames(RenderQuotedNames.NEVER).withRenderNameCase(RenderNameCase.UPPER));
    }

    @ParameterizedTest
    @MethodSource("settings")
    void lock_withTheUsersSettings_isTheSame(Settings settings) throws SQLException {
        try (Connection connection = database.begin()) {
            DSLContext session = DSL.using(connection, SQLDialect.POSTGRES, settings);

            for (Lock lock : Lock.ALL) {
                for (Form form : Form.values()) {
                    assertThat(answer(session, form.of(lock))).isTrue();
                }
            }

            assertThat(answer(session, AdvisoryLocks.unlockAll())).isTrue();
            assertThat(heldBy(on(connection))).hasSize(4);
        }
    }

    private static DSLContext on(Connection connection) {
        return DSL.using(connection, SQLDialect.POSTGRES);
    }

    private static Boolean answer(DSLContext session, Condition condition) {
        return session.select(condition).from(ACCOUNT_42).fetchSingle().value1();
    }

    private static List<Held> heldBy(DSLContext session) {
        return session.resultQuery("select classid::bigint << 32 | objid::bigint, objsubid::int, mode from pg_locks"
                        + " where locktype = 'advisory' and pid = pg_backend_pid()")
                .fetchInto(Held.class);
    }

    // ---- keys ----

    @ParameterizedTest
    @EnumSource(StatementType.class)
    void key_ofAColumn_isTheKeyThatJavaComputes(StatementType type) {
        Map<Long, Long> expected = new TreeMap<>();
        for (long id : List.of(0L, 42L, -42L, LockFamily.ID_LIMIT - 1, -LockFamily.ID_LIMIT + 1)) {
            expected.put(id, ACCOUNT.of(id).lockHash());
        }
        new Random(7)
                .longs(100, -LockFamily.ID_LIMIT + 1, LockFamily.ID_LIMIT)
                .forEach(id -> expected.put(id, ACCOUNT.of(id).lockHash()));

        Map<Long, Long> keys = withStatements(type)
                .select(ID, AdvisoryLocks.key(ACCOUNT, ID).as("key"))
                .from(DSL.unnest(DSL.val(expected.keySet().toArray(Long[]::new)))
                        .as("ids", "id"))
                .fetchMap(r -> r.value1(), r -> r.value2());

        assertThat(keys).isEqualTo(expected);
    }

    @Test
    void key_ofAnIntegerColumn_isTheKeyThatJavaComputes() {
        LockFamily<Integer> branch = LockFamily.byInteger("bank", "branch");

        assertThat(keyOf(branch, DSL.val(Integer.MIN_VALUE)))
                .isEqualTo(branch.of(Integer.MIN_VALUE).lockHash());
    }

    @Test
    void key_ofNull_isNull() {
        assertThat(keyOf(ACCOUNT, DSL.val(null, SQLDataType.BIGINT))).isNull();
    }

    static Stream<Arguments> outOfRange() {
        return Stream.of(StatementType.values())
                .flatMap(
                        type -> LongStream.of(LockFamily.ID_LIMIT, -LockFamily.ID_LIMIT, Long.MAX_VALUE, Long.MIN_VALUE)
                                .mapToObj(id -> Arguments.of(type, id)));
    }

    @ParameterizedTest
    @MethodSource("outOfRange")
    void key_ofAnIdOutOfRange_isPostgresqlsError(StatementType type, long id) {
        assertThatThrownBy(() -> withStatements(type)
                        .select(AdvisoryLocks.key(ACCOUNT, DSL.val(id)))
                        .fetch())
                .isInstanceOfSatisfying(
                        DataAccessException.class, e -> assertThat(e.sqlState()).isEqualTo("22003"));
    }

    @Test
    void key_familyThatWasRenamed_isRefused() {
        assertThatThrownBy(() -> AdvisoryLocks.key(RenamedLocks.ACCOUNT, ID))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("renamed.account", "renamed.acct", "formerly");
    }

    private DSLContext withStatements(StatementType type) {
        return DSL.using(database.dataSource(), SQLDialect.POSTGRES, new Settings().withStatementType(type));
    }

    private <T extends Number> Long keyOf(LockFamily<T> family, Field<? extends Number> id) {
        return dsl.select(AdvisoryLocks.key(family, id)).fetchSingle().value1();
    }
}
