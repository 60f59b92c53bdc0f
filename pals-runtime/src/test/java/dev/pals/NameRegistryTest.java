package dev.pals;

import static dev.pals.db.jooq.pals.Tables.LOCK_NAME;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pals.db.PalsSchema;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.key.LockCatalog;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockNameCollisionException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The audit view shows the names of catalogs on the class path; locking does not need it. */
@ExtendWith(TestDatabase.Extension.class)
final class NameRegistryTest {
    /** A family's ids are those with |id| < 2^40. */
    private static final long MAX_ID = (1L << 40) - 1;

    private final TestDatabase database;

    NameRegistryTest(TestDatabase database) {
        this.database = database;
    }

    @AfterEach
    void noAdvisoryRowIsLeft() {
        database.awaitNoAdvisoryRow();
    }

    @Test
    void view_keysOfACatalog_showsThemByName() throws SQLException {
        try (Locker locker = Locker.builder("registry-test").url(database.url()).build();
                LockHandle plain = locker.exclusive(ShopCatalog.STOCKTAKING).acquire();
                LockHandle member = locker.shared(ShopCatalog.ACCOUNT.of(42L)).acquire();
                LockHandle negative =
                        locker.exclusive(ShopCatalog.ACCOUNT.of(-7L)).acquire();
                LockHandle unknown =
                        locker.exclusive(LockKey.of("shop", "not in a catalog")).acquire()) {
            assertThat(List.of(plain, member, negative, unknown)).allMatch(LockHandle::isHeld);
            assertThat(shown())
                    .containsExactlyInAnyOrder(
                            "shop|stocktaking|exclusive|true|registry-test",
                            "shop|account:42|shared|true|registry-test",
                            "shop|account:-7|exclusive|true|registry-test",
                            "null|null|exclusive|true|registry-test");
        }
    }

    private List<String> shown() throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(
                        "select app, name, mode, granted, application_name from pals.advisory_lock")) {
            while (result.next()) {
                rows.add(String.join(
                        "|",
                        result.getString("app"),
                        result.getString("name"),
                        result.getString("mode"),
                        String.valueOf(result.getBoolean("granted")),
                        result.getString("application_name")));
            }
        }
        return rows;
    }

    private static Stream<Arguments> locksOfAnotherApplication() {
        long family = ShopCatalog.ACCOUNT.familyHash();
        return Stream.of(
                Arguments.of("the same number", ShopCatalog.STOCKTAKING.lockHash(), false, "shop.stocktaking"),
                Arguments.of(
                        "a family that reaches ours", ShopCatalog.STOCKTAKING.lockHash() ^ 5, true, "shop.stocktaking"),
                Arguments.of("one that our family reaches", family ^ -9L, false, "shop.account:*"),
                Arguments.of("a family that shares keys with ours", family ^ MAX_ID, true, "shop.account:*"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("locksOfAnotherApplication")
    void locker_lockOfAnotherCollides_isRefusedWithBothNames(
            String how, long hash, boolean numericFamily, String declared) throws SQLException {
        try (ScratchDatabase scratch = database.emptyDatabase()) {
            DSLContext dsl = migrated(scratch);
            register(dsl, hash, numericFamily);

            assertThatThrownBy(() -> Locker.create("registry-test", scratch.url()))
                    .as(how)
                    .isInstanceOfSatisfying(LockNameCollisionException.class, e -> {
                        assertThat(e.declared()).isEqualTo("\"" + declared + "\"");
                        assertThat(e.registered())
                                .isEqualTo("\"warehouse.inventory" + (numericFamily ? ":*" : "") + "\"");
                    });
            assertThat(dsl.fetch(LOCK_NAME)).as("nothing was entered").hasSize(1);
        }
    }

    private static Stream<Arguments> harmlessLocksOfAnotherApplication() {
        return Stream.of(
                Arguments.of("two plain names of one block", ShopCatalog.STOCKTAKING.lockHash() ^ 5, false),
                Arguments.of("out of the family's reach", ShopCatalog.ACCOUNT.familyHash() ^ (MAX_ID + 1), false));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("harmlessLocksOfAnotherApplication")
    void locker_lockOfAnotherIsNear_opens(String how, long hash, boolean numericFamily) throws SQLException {
        try (ScratchDatabase scratch = database.emptyDatabase()) {
            DSLContext dsl = migrated(scratch);
            register(dsl, hash, numericFamily);

            Locker.create("registry-test", scratch.url()).close();

            assertThat(dsl.fetch(LOCK_NAME).getValues(LOCK_NAME.NAME))
                    .as(how)
                    .contains("inventory", "stocktaking", "account");
        }
    }

    /** Neither would see the other's names before both are entered. */
    @Test
    void locker_anotherIsAboutToEnterWhatCollides_waitsForItAndIsRefused() throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (ScratchDatabase scratch = database.emptyDatabase()) {
            DSLContext dsl = migrated(scratch);
            Future<?> opened = dsl.transactionResult(trx -> {
                register(trx.dsl(), ShopCatalog.ACCOUNT.familyHash() ^ 1L, false);
                Future<?> opening = thread.submit(
                        () -> Locker.create("registry-test", scratch.url()).close());
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> trx.dsl()
                                .fetchExists(trx.dsl()
                                        .selectOne()
                                        .from("pg_locks")
                                        .where("relation = 'pals.lock_name'::regclass and not granted")));
                return opening;
            });
            assertThatThrownBy(() -> opened.get(30, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(LockNameCollisionException.class);
        } finally {
            thread.shutdownNow();
        }
    }

    /** As a program does that hangs in the middle of its start. */
    @Test
    void locker_anotherKeepsTheNamesLocked_locksAllTheSame() throws Exception {
        try (ScratchDatabase scratch = database.emptyDatabase()) {
            migrated(scratch).transaction(trx -> {
                trx.dsl().execute("lock table pals.lock_name in share row exclusive mode");
                assertLocks(scratch.url());
            });
            assertThat(migrated(scratch).fetchCount(LOCK_NAME)).isZero();
        }
    }

    private static DSLContext migrated(ScratchDatabase scratch) {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(scratch.url());
        PalsSchema.migrate(dataSource);
        return DSL.using(dataSource, SQLDialect.POSTGRES);
    }

    private static void register(DSLContext dsl, long hash, boolean numericFamily) {
        dsl.insertInto(LOCK_NAME)
                .set(LOCK_NAME.LOCK_HASH, hash)
                .set(LOCK_NAME.APP_HASH, 1L)
                .set(LOCK_NAME.APP, "warehouse")
                .set(LOCK_NAME.NAME, "inventory")
                .set(LOCK_NAME.NUMERIC_FAMILY, numericFamily)
                .execute();
    }

    @Test
    void locker_openedAgain_writesNothing() throws SQLException {
        Locker.create("registry-test", database.url()).close();
        String versions = versionsOfTheRows();

        Locker.create("registry-test", database.url()).close();

        assertThat(versionsOfTheRows()).isEqualTo(versions).contains(",");
    }

    private String versionsOfTheRows() throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(
                        "select string_agg(lock_hash || ' ' || xmin, ',' order by lock_hash) from pals.lock_name")) {
            result.next();
            return result.getString(1);
        }
    }

    @Test
    void locker_openedByManyAtOnce_entersEachNameOnce() throws Exception {
        try (ScratchDatabase scratch = database.emptyDatabase()) {
            DSLContext dsl = migrated(scratch);
            ExecutorService threads = Executors.newFixedThreadPool(8);
            try {
                List<Future<?>> opened = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    opened.add(threads.submit(
                            () -> Locker.create("registry-test", scratch.url()).close()));
                }
                for (Future<?> each : opened) {
                    each.get(60, TimeUnit.SECONDS);
                }
            } finally {
                threads.shutdownNow();
            }
            assertThat(dsl.fetch(LOCK_NAME).getValues(LOCK_NAME.NAME))
                    .contains("stocktaking", "account")
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void locker_schemaIsMissing_locksAllTheSameAndSaysSoOnce() throws SQLException {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(said, true, UTF_8));
        try (ScratchDatabase empty = database.emptyDatabase()) {
            assertLocks(empty.url());
        } finally {
            System.setErr(before);
        }
        assertThat(said.toString(UTF_8))
                .containsOnlyOnce("schema pals is not installed, so the audit view shows no names");
    }

    /** The services of {@code stale-build} name a class that is not there, and behind it one that is. */
    @Test
    void catalog_classIsGone_othersAreShownAndItLocksAllTheSame() throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader stale = new URLClassLoader(new URL[] {getClass().getResource("/stale-build/")}, before)) {
            thread.setContextClassLoader(stale);
            assertThatThrownBy(() -> ServiceLoader.load(LockCatalog.class).forEach(catalog -> {}))
                    .isInstanceOf(ServiceConfigurationError.class);
            assertLocks(database.url());
        } finally {
            thread.setContextClassLoader(before);
        }
        try (Locker locker = Locker.create("registry-test", database.url());
                LockHandle handle = locker.exclusive(CatalogBehind.KEY).acquire()) {
            assertThat(handle.isHeld()).isTrue();
            assertThat(shown()).containsExactly("behind|the-gone-one|exclusive|true|registry-test");
        }
    }

    /** For the service loader. */
    public static final class CatalogBehind implements LockCatalog {
        static final LockKey KEY = LockKey.of("behind", "the-gone-one");

        @Override
        public List<LockKey> keys() {
            return List.of(KEY);
        }

        @Override
        public List<LockFamily<?>> families() {
            return List.of();
        }
    }

    @Test
    void locker_databaseIsReadOnly_locksAllTheSame() throws SQLException {
        assertLocks(database.urlWith("options=-c%20default_transaction_read_only=on"));
    }

    private static void assertLocks(String url) throws SQLException {
        try (Locker locker = Locker.create("registry-test", url);
                Connection observer = DriverManager.getConnection(url)) {
            LockHandle handle = locker.exclusive(ShopCatalog.STOCKTAKING).acquire();
            assertThat(TestDatabase.advisoryRows(observer)).hasSize(1);
            handle.close();
            assertThat(TestDatabase.advisoryRows(observer)).isEmpty();
        }
    }
}
