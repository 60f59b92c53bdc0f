package dev.pals;

import static dev.pals.db.jooq.pals.Sequences.FENCING_TOKEN;
import static dev.pals.db.jooq.pals.Tables.FENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.SQLDataType.VARCHAR;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.jooq.FencingTokens;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.StaleFencingTokenException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jooq.Configuration;
import org.jooq.ConnectionProvider;
import org.jooq.DSLContext;
import org.jooq.ExecuteContext;
import org.jooq.ExecuteListener;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.TransactionalRunnable;
import org.jooq.conf.MappedSchema;
import org.jooq.conf.RenderMapping;
import org.jooq.conf.RenderNameCase;
import org.jooq.conf.RenderQuotedNames;
import org.jooq.conf.Settings;
import org.jooq.conf.StatementType;
import org.jooq.conf.ThrowExceptions;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.impl.DefaultConfiguration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A write of a holder that lost its lock is refused by the fencing token that it shows. */
@ExtendWith(TestDatabase.Extension.class)
final class FencingCheckTest {
    private static final LockKey KEY = LockKey.of("fencing-check", "ledger");
    private static final LockKey FORMER_KEY =
            RenamedLocks.INVOICE_CLOSE.formerly().orElseThrow();
    private static final long OLDER = 1;
    private static final long NEWER = 1025;

    private static final Table<?> LEDGER = table(name("public", "fencing_check_ledger"));
    private static final Field<String> ENTRY = field(name("entry"), VARCHAR);

    private final TestDatabase database;
    private final DSLContext dsl;
    private final ExecutorService executor = Executors.newCachedThreadPool();

    FencingCheckTest(TestDatabase database) {
        this.database = database;
        dsl = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    }

    @BeforeEach
    void createLedger() {
        dsl.createTable(LEDGER).column(ENTRY).execute();
    }

    @AfterEach
    void dropLedger() throws InterruptedException {
        executor.shutdownNow();
        assertThat(executor.awaitTermination(TestDatabase.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        dsl.dropTable(LEDGER).execute();
        dsl.deleteFrom(FENCE).execute();
    }

    // ---- older, newer, equal ----

    @Test
    void check_newerTokenWasShown_isRefusedAndNothingOfTheTransactionStays() {
        dsl.transaction(guarded(NEWER, "new holder"));

        assertThatThrownBy(() -> dsl.transaction(trx -> {
                    enter(trx, "before the check");
                    FencingTokens.check(trx, KEY, OLDER);
                    enter(trx, "after the check");
                }))
                .isInstanceOfSatisfying(StaleFencingTokenException.class, e -> {
                    assertThat(e.key()).isEqualTo(KEY);
                    assertThat(e.token()).isEqualTo(OLDER);
                    assertThat(e.newest()).isEqualTo(NEWER);
                })
                .hasMessageContainingAll("fencing-check.ledger", "token " + OLDER + " ", "shown " + NEWER);
        assertThat(ledger()).containsExactly("new holder");
        assertThat(newestOf(KEY)).isEqualTo(NEWER);
    }

    /** The negative control: it is the check that refuses. */
    @Test
    void write_withoutTheCheckAfterANewerToken_stays() {
        dsl.transaction(guarded(NEWER, "new holder"));
        dsl.transaction(trx -> enter(trx, "stale holder"));

        assertThat(ledger()).containsExactly("new holder", "stale holder");
    }

    @Test
    void check_newerToken_passesAndTheOlderIsRefusedFromThenOn() {
        dsl.transaction(guarded(OLDER, "first"));
        dsl.transaction(guarded(OLDER + 1, "handed on"));
        dsl.transaction(guarded(NEWER, "second"));

        assertThatThrownBy(() -> dsl.transaction(guarded(OLDER, "first again")))
                .isInstanceOf(StaleFencingTokenException.class);
        assertThatThrownBy(() -> dsl.transaction(guarded(NEWER - 1, "just older")))
                .isInstanceOf(StaleFencingTokenException.class);
        assertThat(ledger()).containsExactly("first", "handed on", "second");
    }

    @Test
    void check_equalToken_passesInOneTransactionAndInAnother() {
        dsl.transaction(trx -> {
            FencingTokens.check(trx, KEY, NEWER);
            FencingTokens.check(trx.dsl(), KEY, NEWER);
            enter(trx, "one");
        });
        dsl.transaction(guarded(NEWER, "two"));

        assertThat(ledger()).containsExactly("one", "two");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, Long.MAX_VALUE})
    void check_extremeToken_passes(long token) {
        dsl.transaction(guarded(token, "entry"));

        assertThat(newestOf(KEY)).isEqualTo(token);
    }

    @Test
    void check_newerTokenOfAnotherKey_doesNotMatter() {
        dsl.transaction(trx -> FencingTokens.check(trx, LockKey.of("fencing-check", "other"), NEWER));

        dsl.transaction(guarded(OLDER, "entry"));

        assertThat(ledger()).containsExactly("entry");
    }

    @Test
    void check_renamedKey_isOneWithTheFormerName() {
        dsl.transaction(trx -> FencingTokens.check(trx, FORMER_KEY, NEWER));
        assertThatThrownBy(() -> dsl.transaction(trx -> FencingTokens.check(trx, RenamedLocks.INVOICE_CLOSE, OLDER)))
                .isInstanceOfSatisfying(
                        StaleFencingTokenException.class,
                        e -> assertThat(e.newest()).isEqualTo(NEWER));

        dsl.transaction(trx -> FencingTokens.check(trx, RenamedLocks.INVOICE_CLOSE, NEWER + 1));
        assertThatThrownBy(() -> dsl.transaction(trx -> FencingTokens.check(trx, FORMER_KEY, NEWER)))
                .isInstanceOf(StaleFencingTokenException.class);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void check_tokenBelowOne_isAnInvalidArgument(long token) {
        assertThatThrownBy(() -> dsl.transaction(trx -> FencingTokens.check(trx, KEY, token)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("token is " + token + " ", "fencing-check.ledger");
    }

    // ---- at the same time ----

    @Test
    void check_olderTokenWhileANewerIsUncommitted_waitsAndIsRefusedAfterTheCommit() throws Exception {
        try (Connection first = database.begin()) {
            guardedEntry(on(first), NEWER, "new holder");
            Future<?> second = waitingFor(guarded(OLDER, "stale holder"));
            first.commit();

            assertThat(second)
                    .failsWithin(TestDatabase.PATIENCE)
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOf(StaleFencingTokenException.class);
        }
        assertThat(ledger()).containsExactly("new holder");
    }

    @Test
    void check_newerTokenWhileAnOlderIsUncommitted_waitsAndSeesItsWrite() throws Exception {
        try (Connection first = database.begin()) {
            guardedEntry(on(first), OLDER, "old holder");
            CompletableFuture<List<String>> seen = new CompletableFuture<>();
            Future<?> second = waitingFor(trx -> {
                FencingTokens.check(trx, KEY, NEWER);
                seen.complete(ledger(trx.dsl()));
            });
            first.commit();

            assertThat(second).succeedsWithin(TestDatabase.PATIENCE);
            assertThat(seen).isCompletedWithValue(List.of("old holder"));
        }
    }

    @Test
    void check_newerTokenIsRolledBack_letsTheOlderPass() throws Exception {
        try (Connection first = database.begin()) {
            guardedEntry(on(first), NEWER, "new holder");
            Future<?> second = waitingFor(guarded(OLDER, "old holder"));
            first.rollback();

            assertThat(second).succeedsWithin(TestDatabase.PATIENCE);
        }
        assertThat(ledger()).containsExactly("old holder");
    }

    /** The row is there already, so that the second waits for an update and not for an insert. */
    @Test
    void check_olderTokenUnderRepeatableRead_isASerializationFailure() throws Exception {
        dsl.transaction(guarded(OLDER, "old holder"));
        try (Connection first = database.begin()) {
            guardedEntry(on(first), NEWER, "new holder");
            Future<?> second = waitingFor("set transaction isolation level repeatable read", guarded(OLDER, "stale"));
            first.commit();

            assertThat(second)
                    .failsWithin(TestDatabase.PATIENCE)
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOfSatisfying(
                            DataAccessException.class,
                            e -> assertThat(e.sqlState()).isEqualTo("40001"));
        }
        assertThat(ledger()).containsExactly("old holder", "new holder");
    }

    // ---- savepoints ----

    @Test
    void check_refusedInANestedTransaction_rollsBackToItsSavepointOnly() {
        dsl.transaction(guarded(NEWER, "new holder"));

        dsl.transaction(outer -> {
            enter(outer, "outer");
            assertThatThrownBy(() -> outer.dsl().transaction(nested -> {
                        enter(nested, "nested");
                        FencingTokens.check(nested, KEY, OLDER);
                    }))
                    .isInstanceOf(StaleFencingTokenException.class);
        });

        assertThat(ledger()).containsExactly("new holder", "outer");
    }

    @Test
    void check_passedInANestedTransactionThatRollsBack_countsAsNeverShown() {
        dsl.transaction(outer -> {
            FencingTokens.check(outer, KEY, OLDER);
            assertThatThrownBy(() -> outer.dsl().transaction(nested -> {
                        FencingTokens.check(nested, KEY, NEWER);
                        throw new IllegalStateException("undo");
                    }))
                    .hasMessage("undo");
            FencingTokens.check(outer, KEY, OLDER);
        });

        assertThat(newestOf(KEY)).isEqualTo(OLDER);
    }

    // ---- outside of a transaction ----

    @Test
    void check_outsideOfATransaction_isRefusedAndNothingIsShown() throws SQLException {
        assertIsRefusedOutsideOfATransaction(dsl);
        try (Connection connection = DriverManager.getConnection(database.url())) {
            assertIsRefusedOutsideOfATransaction(DSL.using(connection));
        }
        assertThat(dsl.fetchCount(FENCE)).isZero();
    }

    @Test
    void check_withTheDslOnWhichTheTransactionWasBegun_isRefused() {
        assertThatThrownBy(() -> dsl.transaction(trx -> {
                    enter(trx, "entry");
                    FencingTokens.check(dsl, KEY, NEWER);
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(ledger()).isEmpty();
    }

    /** Such a pool looks like a transaction, and rolls back what a statement did when it takes its connection back. */
    @Test
    void check_poolWithoutAutocommit_passesWithinATransactionOnly() {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.url());
        config.setAutoCommit(false);
        config.setMaximumPoolSize(2);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            DSLContext pooled = DSL.using(pool, SQLDialect.POSTGRES);

            assertIsRefusedOutsideOfATransaction(pooled);
            assertThat(dsl.fetchCount(FENCE)).isZero();
            pooled.transaction(guarded(NEWER, "entry"));
        }
        assertThat(ledger()).containsExactly("entry");
    }

    /** As Spring does it: jOOQ knows nothing of the transaction, and its connections are all the transaction's. */
    @Test
    void check_transactionOfAFramework_passes() throws SQLException {
        try (Connection connection = database.begin()) {
            ConnectionProvider framework = new ConnectionProvider() {
                @Override
                public Connection acquire() {
                    return connection;
                }

                @Override
                public void release(Connection released) {}
            };
            DSLContext context = DSL.using(framework, SQLDialect.POSTGRES);
            FencingTokens.check(context, KEY, NEWER);
            enter(context.configuration(), "entry");
            connection.commit();
        }
        assertThat(ledger()).containsExactly("entry");
        assertThat(newestOf(KEY)).isEqualTo(NEWER);
    }

    private static void assertIsRefusedOutsideOfATransaction(DSLContext context) {
        assertThatThrownBy(() -> FencingTokens.check(context, KEY, NEWER))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("fencing-check.ledger", "outside of a transaction", "dsl.transaction");
    }

    // ---- the caller's jOOQ ----

    static Stream<Settings> settings() {
        return Stream.of(
                new Settings().withStatementType(StatementType.STATIC_STATEMENT),
                new Settings().withRenderSchema(false),
                new Settings()
                        .withRenderMapping(new RenderMapping()
                                .withSchemata(
                                        new MappedSchema().withInput("pals").withOutput("tenant"))),
                new Settings().withRenderNameCase(RenderNameCase.UPPER).withRenderQuotedNames(RenderQuotedNames.ALWAYS),
                new Settings().withThrowExceptions(ThrowExceptions.THROW_NONE),
                new Settings().withMaxRows(1));
    }

    @ParameterizedTest
    @MethodSource("settings")
    void check_callersSettings_doNotChangeWhatItDoes(Settings settings) {
        DSLContext callers = DSL.using(database.dataSource(), SQLDialect.POSTGRES, settings);

        callers.transaction(trx -> FencingTokens.check(trx, RenamedLocks.INVOICE_CLOSE, NEWER));
        assertThatThrownBy(
                        () -> callers.transaction(trx -> FencingTokens.check(trx, RenamedLocks.INVOICE_CLOSE, OLDER)))
                .isInstanceOf(StaleFencingTokenException.class);

        assertThat(newestOf(RenamedLocks.INVOICE_CLOSE)).isEqualTo(NEWER);
    }

    @Test
    void check_callersListener_seesOneStatement() {
        Statements statements = new Statements();

        dslWith(statements, new Settings()).transaction(trx -> FencingTokens.check(trx, KEY, NEWER));

        assertThat(statements.seen).singleElement().asString().contains("?").doesNotContain("1025");
    }

    @Test
    void check_staticStatements_haveNoParameters() {
        Statements statements = new Statements();

        dslWith(statements, new Settings().withStatementType(StatementType.STATIC_STATEMENT))
                .transaction(trx -> FencingTokens.check(trx, KEY, NEWER));

        assertThat(statements.seen).singleElement().asString().contains("1025").doesNotContain("?");
    }

    private static final class Statements implements ExecuteListener {
        private static final long serialVersionUID = 1L;

        private final transient List<String> seen = new CopyOnWriteArrayList<>();

        @Override
        public void executeStart(ExecuteContext context) {
            seen.add(String.valueOf(context.sql()));
        }
    }

    private DSLContext dslWith(ExecuteListener listener, Settings settings) {
        return new DefaultConfiguration()
                .set(database.dataSource())
                .set(SQLDialect.POSTGRES)
                .set(settings)
                .setAppending(listener)
                .dsl();
    }

    // ---- the schema and its grants ----

    @ParameterizedTest
    @ValueSource(strings = {"", "create schema pals"})
    void check_schemaIsMissing_saysHowToInstallIt(String existing) {
        try (ScratchDatabase empty = database.emptyDatabase()) {
            DSLContext there = DSL.using(empty.url());
            there.execute(existing);

            assertIsMissing(there);
        }
    }

    /** As Spring's, which puts its own exception around each of jOOQ's. */
    @Test
    void check_schemaIsMissingAndAListenerTranslates_saysHowToInstallIt() {
        try (ScratchDatabase empty = database.emptyDatabase()) {
            DSLContext there = DSL.using(empty.url());
            there.configuration()
                    .set(ExecuteListener.onException(context -> context.exception(
                            new UnsupportedOperationException("translated", context.sqlException()))));

            assertIsMissing(there);
        }
    }

    private static void assertIsMissing(DSLContext there) {
        assertThatThrownBy(() -> there.transaction(trx -> FencingTokens.check(trx, KEY, NEWER)))
                .isInstanceOfSatisfying(
                        LockDatabaseException.class,
                        e -> assertThat(e.sqlState()).isEqualTo("42P01"))
                .hasMessageContainingAll("fencing-check.ledger", "PalsSchema.migrate(dataSource)", "V2__fencing.sql");
    }

    @Test
    void check_roleWithTheDocumentedGrants_passesAndWithoutThemIsRefused() throws SQLException {
        String role = "pals_fencing_" + ProcessHandle.current().pid();
        database.execute("create role " + role);
        try (Connection connection = DriverManager.getConnection(database.urlWith("options=-c%20role=" + role))) {
            DSLContext application = DSL.using(connection);
            assertThatThrownBy(() -> application.transaction(trx -> FencingTokens.check(trx, KEY, NEWER)))
                    .isInstanceOfSatisfying(
                            LockDatabaseException.class,
                            e -> assertThat(e.sqlState()).isEqualTo("42501"))
                    .hasMessageContaining("grant it usage on schema pals, and select, insert, update on pals.fence");

            database.execute("grant usage on schema pals to " + role);
            database.execute("grant select, insert, update on pals.fence to " + role);
            database.execute("grant usage on sequence pals.fencing_token to " + role);

            assertThat(application.nextval(FENCING_TOKEN)).isPositive();
            application.transaction(trx -> FencingTokens.check(trx, KEY, NEWER));
            assertThatThrownBy(() -> application.transaction(trx -> FencingTokens.check(trx, KEY, OLDER)))
                    .isInstanceOf(StaleFencingTokenException.class);
        } finally {
            database.execute("drop owned by " + role);
            database.execute("drop role " + role);
        }
    }

    // ---- helpers ----

    private static TransactionalRunnable guarded(long token, String entry) {
        return trx -> guardedEntry(trx, token, entry);
    }

    private static void guardedEntry(Configuration trx, long token, String entry) {
        FencingTokens.check(trx, KEY, token);
        enter(trx, entry);
    }

    private static void enter(Configuration trx, String entry) {
        trx.dsl().insertInto(LEDGER, ENTRY).values(entry).execute();
    }

    private List<String> ledger() {
        return ledger(dsl);
    }

    private static List<String> ledger(DSLContext context) {
        return context.select(ENTRY).from(LEDGER).fetch(ENTRY);
    }

    private long newestOf(LockKey key) {
        return dsl.fetchSingle(FENCE, FENCE.LOCK_HASH.eq(key.lockHash())).getToken();
    }

    private static Configuration on(Connection connection) {
        return DSL.using(connection).configuration();
    }

    private Future<?> waitingFor(TransactionalRunnable work) throws Exception {
        return waitingFor("select 1", work);
    }

    /** Does the work in a transaction of another thread, and returns when PostgreSQL lets it wait. */
    private Future<?> waitingFor(String first, TransactionalRunnable work) throws Exception {
        CompletableFuture<Integer> pid = new CompletableFuture<>();
        Future<?> result = executor.submit(() -> dsl.transaction(trx -> {
            trx.dsl().execute(first);
            pid.complete(trx.dsl().fetchSingle("select pg_backend_pid()").into(Integer.class));
            work.run(trx);
        }));
        int waiter = pid.get(TestDatabase.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        await().atMost(TestDatabase.PATIENCE)
                .until(() -> dsl.fetchExists(
                        table("pg_locks"), DSL.condition("pid = {0} and not granted", DSL.inline(waiter))));
        assertThat(result).isNotDone();
        return result;
    }
}
