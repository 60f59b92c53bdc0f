package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.SQLDataType.INTEGER;

import com.zaxxer.hikari.HikariDataSource;
import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.SnapshotBeforeLockException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.ExecuteListener;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.conf.MappedSchema;
import org.jooq.conf.MappedTable;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The locks of a transaction, and locked transactions, with jOOQ as the caller has set it up. */
final class CallersJooqTest extends LockerFixture {
    private static final LockKey KEY = LockKey.of("callers-jooq", "key");
    private static final LockKey OTHER = LockKey.of("callers-jooq", "other");
    private static final LockKey BUSY = LockKey.of("callers-jooq", "busy");
    private static final Duration SHORT = Duration.ofMillis(20);

    private static final Table<?> LEDGER = table(name("public", "CALLERS_JOOQ_LEDGER"));
    private static final Field<Integer> ENTRY = field(name("ENTRY"), INTEGER);

    private final DSLContext observer;

    CallersJooqTest(TestDatabase database) {
        super(database, "callers-jooq");
        observer = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    }

    @BeforeEach
    void createLedger() {
        observer.createTable(LEDGER).column(ENTRY).execute();
    }

    @AfterEach
    void dropLedger() {
        observer.dropTable(LEDGER).execute();
    }

    /** Where the connections come from. */
    enum Connections {
        HIKARI,
        HIKARI_WITHOUT_AUTOCOMMIT,
        PLAIN;

        DataSource to(String url) {
            if (this == PLAIN) {
                PGSimpleDataSource plain = new PGSimpleDataSource();
                plain.setUrl(url);
                return plain;
            }
            HikariDataSource pool = new HikariDataSource();
            pool.setJdbcUrl(url);
            pool.setMaximumPoolSize(2);
            pool.setAutoCommit(this == HIKARI);
            return pool;
        }
    }

    static Stream<Settings> settings() {
        return Stream.of(
                new Settings(),
                new Settings().withStatementType(StatementType.STATIC_STATEMENT),
                new Settings().withRenderSchema(false),
                new Settings().withRenderCatalog(false).withRenderFormatted(true),
                new Settings()
                        .withRenderMapping(new RenderMapping()
                                .withDefaultSchema("public")
                                .withSchemata(
                                        new MappedSchema()
                                                .withInput("pg_catalog")
                                                .withOutput("nowhere")
                                                .withTables(new MappedTable()
                                                        .withInput("keys")
                                                        .withOutput("nothing")),
                                        new MappedSchema().withInput("pals").withOutput("tenant"))),
                new Settings().withRenderNameCase(RenderNameCase.UPPER).withRenderQuotedNames(RenderQuotedNames.ALWAYS),
                new Settings().withRenderQuotedNames(RenderQuotedNames.NEVER),
                new Settings().withThrowExceptions(ThrowExceptions.THROW_NONE),
                new Settings().withMaxRows(1).withFetchSize(1).withQueryTimeout(60));
    }

    static Stream<Arguments> settingsAndConnections() {
        return settings()
                .flatMap(settings ->
                        Stream.of(Connections.values()).map(connections -> Arguments.of(settings, connections)));
    }

    private interface Work {
        void with(DSLContext dsl) throws Exception;
    }

    private void with(Connections connections, Configuration configuration, Work work) throws Exception {
        DataSource dataSource = connections.to(database.url());
        try {
            work.with(configuration.derive().set(dataSource).dsl());
        } finally {
            if (dataSource instanceof HikariDataSource pool) {
                pool.close();
            }
        }
    }

    private static Configuration jooq(Settings settings) {
        return new DefaultConfiguration().set(SQLDialect.POSTGRES).set(settings);
    }

    /** As Spring's, which puts its own exception around each of jOOQ's. */
    private static Configuration translating() {
        return jooq(new Settings())
                .deriveAppending(ExecuteListener.onException(context ->
                        context.exception(new UnsupportedOperationException("translated", context.sqlException()))));
    }

    @ParameterizedTest
    @MethodSource("settingsAndConnections")
    void transactionLocks_anySettings_doTheSame(Settings settings, Connections connections) throws Exception {
        with(connections, jooq(settings), this::assertTransactionLocks);
    }

    @ParameterizedTest
    @MethodSource("settingsAndConnections")
    void transaction_anySettings_doesTheSame(Settings settings, Connections connections) throws Exception {
        with(connections, jooq(settings), this::assertLockedTransactions);
    }

    @Test
    void transactionLocks_listenerTranslatesExceptions_doTheSame() throws Exception {
        with(Connections.HIKARI, translating(), this::assertTransactionLocks);
    }

    @Test
    void transaction_listenerTranslatesExceptions_doesTheSame() throws Exception {
        with(Connections.HIKARI, translating(), this::assertLockedTransactions);
    }

    @Test
    void listener_translatesExceptions_seesOtherFailuresOfPostgres() throws Exception {
        try (LockHandle ignored = locker().exclusive(BUSY).acquire()) {
            with(
                    Connections.PLAIN,
                    translating(),
                    dsl -> assertThatThrownBy(() -> dsl.transaction(trx -> {
                                trx.dsl().execute("set local statement_timeout = '20ms'");
                                TransactionLocks.in(trx).exclusive(BUSY).acquire();
                            }))
                            .isInstanceOf(UnsupportedOperationException.class)
                            .hasMessage("translated"));
        }
    }

    @Test
    void queryTimeout_ofTheCallers_endsTheWait() throws Exception {
        Settings settings = new Settings().withQueryTimeout(1);
        try (LockHandle ignored = locker().exclusive(BUSY).acquire()) {
            with(
                    Connections.PLAIN,
                    jooq(settings),
                    dsl -> assertThatThrownBy(() -> dsl.transaction(trx ->
                                    TransactionLocks.in(trx).exclusive(BUSY).acquire()))
                            .isInstanceOfSatisfying(
                                    DataAccessException.class,
                                    e -> assertThat(e.sqlState()).isEqualTo("57014")));
        }
    }

    @Test
    void listener_ofTheCallers_seesEachStatementAsItsTypeSays() throws Exception {
        for (StatementType type : StatementType.values()) {
            List<String> seen = new CopyOnWriteArrayList<>();
            Configuration listening = jooq(new Settings().withStatementType(type))
                    .deriveAppending(
                            ExecuteListener.onExecuteStart(context -> seen.add(String.valueOf(context.sql()))));
            with(
                    Connections.PLAIN,
                    listening,
                    dsl -> dsl.transaction(trx -> TransactionLocks.in(trx)
                            .exclusive(KEY)
                            .waitAtMost(Duration.ofSeconds(7))
                            .acquire()));

            String hash = String.valueOf(KEY.lockHash());
            if (type == StatementType.STATIC_STATEMENT) {
                assertThat(seen)
                        .singleElement()
                        .asString()
                        .contains(hash, "7000")
                        .doesNotContain("?");
            } else {
                assertThat(seen).singleElement().asString().contains("?").doesNotContain(hash);
            }
        }
    }

    // ---- what is the same everywhere ----

    private void assertTransactionLocks(DSLContext dsl) {
        try (LockHandle ignored = locker().exclusive(BUSY).acquire()) {
            dsl.transaction(trx -> {
                TransactionLocks locks = TransactionLocks.in(trx);
                locks.exclusive(KEY, OTHER).acquire();
                locks.shared(KEY).waitAtMost(TestDatabase.PATIENCE).acquire();
                assertThat(locks.exclusive(KEY, OTHER).tryAcquire()).isTrue();
                assertThat(locks.exclusive(BUSY).tryAcquire()).isFalse();
                assertThat(locks.shared(OTHER, BUSY).waitAtMost(SHORT).tryAcquire())
                        .isFalse();
                assertThatThrownBy(() -> trx.dsl()
                                .transaction(nested -> TransactionLocks.in(nested)
                                        .exclusive(BUSY)
                                        .waitAtMost(SHORT)
                                        .acquire()))
                        .isInstanceOf(LockTimeoutException.class);
                assertThat(heldKeys()).contains(KEY, OTHER);
                enter(trx, 1);
            });
            assertThatThrownBy(() -> dsl.transaction(trx -> {
                        trx.dsl().execute("set transaction isolation level repeatable read");
                        TransactionLocks.in(trx).exclusive(KEY).acquire();
                    }))
                    .isInstanceOf(SnapshotBeforeLockException.class);
            assertThatThrownBy(() -> TransactionLocks.in(dsl).exclusive(KEY).acquire())
                    .isInstanceOf(IllegalStateException.class);
            assertThat(heldKeys()).containsExactly(BUSY);
        }
        assertThat(entries()).containsExactly(1);
    }

    private void assertLockedTransactions(DSLContext dsl) {
        Locker locker = locker();
        locker.exclusive(KEY).transaction(dsl, trx -> {
            enter(trx, 1);
            locker.exclusive(OTHER).transaction(trx.dsl(), joined -> enter(joined, 2));
            assertThatThrownBy(() -> locker.shared(OTHER).transaction(trx.dsl(), joined -> {
                        enter(joined, 3);
                        throw new IllegalStateException("undo");
                    }))
                    .hasMessage("undo");
            assertThat(heldKeys()).contains(KEY, OTHER);
            assertThat(entries()).isEmpty();
        });
        assertThat(heldKeys()).isEmpty();
        assertThatThrownBy(() -> locker.exclusive(KEY).transaction(dsl, trx -> {
                    enter(trx, 4);
                    throw new IllegalStateException("undo");
                }))
                .hasMessage("undo");
        assertThat(entries()).containsExactly(1, 2);
    }

    private List<LockKey> heldKeys() {
        List<LockKey> held = new ArrayList<>(List.of(KEY, OTHER, BUSY));
        held.removeIf(key -> !database.isHeld(key));
        return held;
    }

    /** Not through the caller's settings, which could rename it. */
    private static void enter(Configuration trx, int entry) {
        trx.dsl().execute("insert into public.\"CALLERS_JOOQ_LEDGER\" values (" + entry + ")");
    }

    private List<Integer> entries() {
        return observer.select(ENTRY).from(LEDGER).orderBy(ENTRY).fetch(ENTRY);
    }
}
