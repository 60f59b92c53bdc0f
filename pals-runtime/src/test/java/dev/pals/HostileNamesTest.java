package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.zaxxer.hikari.HikariDataSource;
import dev.pals.db.jooq.pals.tables.records.AdvisoryLockRecord;
import dev.pals.diagnostics.LockDiagnostics;
import dev.pals.jooq.AdvisoryLocks;
import dev.pals.jooq.FencingTokens;
import dev.pals.jooq.TransactionLocks;
import dev.pals.key.InvalidLockIdException;
import dev.pals.key.InvalidLockNameException;
import dev.pals.key.LockCatalog;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLog;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is in a name, it names a lock and nothing else: no name is ever a part of an SQL text. */
final class HostileNamesTest extends LockerFixture {
    /** In each of the names; in no SQL text, in whatever form it might be quoted, escaped or cut off. */
    private static final String MARK = "payload";

    @TempDir
    private Path services;

    HostileNamesTest(TestDatabase database) {
        super(database, "hostile-names");
    }

    static Stream<String> names() {
        return Stream.of(
                "payload'; drop table pals.lock_name; --",
                "payload''\"\"\\'",
                "-- payload",
                "/* payload */",
                "*/ payload /*",
                "$$payload$$; $payload$",
                "payload ? ?? :payload {0} {payload} %s ${payload}",
                "payload\n\r\t\u0001\u007f",
                "\u202Epayload\u202C \u200F\u2066\u2069",
                "payload \uD83D\uDD12 \u00e4\u1E9E\u3042",
                MARK + "x".repeat(10_000 - MARK.length()),
                MARK + "\u3042".repeat(10_000 - MARK.length()));
    }

    /** For the service loader; the name is of the test at hand. */
    public static final class HostileCatalog implements LockCatalog {
        static volatile String name = "none";

        @Override
        public List<LockKey> keys() {
            return List.of(LockKey.of(name, name));
        }

        @Override
        public List<LockFamily<?>> families() {
            return List.of(LockFamily.byLong(name, name + "-family"), LockFamily.byString(name, name + "-texts"));
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void name_ofAnything_worksEverywhereAndIsInNoSqlText(String name) throws Exception {
        LockKey plain = LockKey.of(name, name);
        LockKey member = LockFamily.byLong(name, name + "-family").of(42L);
        LockKey byText = LockFamily.byString(name, name + "-texts").of(name);
        LockKey ofNoApp = LockKey.of(name);
        try (WireTap tap = new WireTap(database.url());
                Locker locker = openedWithCatalog(name, tap.url());
                HikariDataSource pool = new HikariDataSource()) {
            pool.setJdbcUrl(tap.url());
            pool.setMaximumPoolSize(2);
            DSLContext dsl = DSL.using(pool, SQLDialect.POSTGRES);
            LockDiagnostics diagnostics = LockDiagnostics.of(dsl);
            for (LockKey key : List.of(plain, member, byText, ofNoApp, locker.key(name))) {
                useEachWay(locker, key);
                dsl.transaction(trx -> TransactionLocks.in(trx)
                        .exclusive(key)
                        .waitAtMost(PATIENCE)
                        .acquire());
                try (LockHandle held = locker.exclusive(key).acquire()) {
                    dsl.transaction(trx -> FencingTokens.check(trx, held));
                    assertThat(diagnostics.holdersOf(key)).hasSize(1);
                    assertThat(held.toString()).contains(MARK);
                }
            }
            try (LockHandle held = locker.exclusive(plain, member).acquire()) {
                assertThat(held.isHeld()).isTrue();
                assertThat(diagnostics.held())
                        .extracting(AdvisoryLockRecord::getApp, AdvisoryLockRecord::getName)
                        .containsExactlyInAnyOrder(tuple(name, name), tuple(name, name + "-family:42"));
                assertThat(waitingTree(locker, diagnostics, plain)).contains(name + "." + name);
            }
            assertThat(dsl.fetchSingle(DSL.select(
                                    AdvisoryLocks.key(LockFamily.byLong(name, name + "-family"), DSL.val(42L))))
                            .value1())
                    .isEqualTo(member.lockHash());

            assertThat(tap.sql()).hasSizeGreaterThan(20).noneMatch(sql -> sql.contains(MARK));
            // That is where the application's name is, as a value by itself.
            assertThat(tap.startups())
                    .anyMatch(startup -> startup.contains("application_name\0" + name.substring(0, 7)));
        }
    }

    private Locker openedWithCatalog(String name, String url) throws Exception {
        Path entry = services.resolve("META-INF/services/" + LockCatalog.class.getName());
        Files.createDirectories(entry.getParent());
        Files.writeString(entry, HostileCatalog.class.getName() + "\n");
        HostileCatalog.name = name;
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {services.toUri().toURL()}, before)) {
            thread.setContextClassLoader(loader);
            return Locker.builder(name)
                    .url(url)
                    .fencingTokens()
                    .listener(new LockLog())
                    .build();
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static void useEachWay(Locker locker, LockKey key) throws Exception {
        locker.shared(key).run(() -> assertThat(locker.isLocked(key)).isTrue());
        locker.exclusive(key).tryAcquire().orElseThrow().close();
        locker.exclusive(key).acquireAsync().toCompletableFuture().get().close();
        var lock = locker.exclusive(key).asLock();
        lock.lock();
        try {
            assertThat(lock.toString()).contains(MARK);
        } finally {
            lock.unlock();
        }
        assertThat(locker.isLocked(key)).isFalse();
    }

    /** While one waits in PostgreSQL's queue for what another program holds. */
    private String waitingTree(Locker locker, LockDiagnostics diagnostics, LockKey key) throws Exception {
        Locker other = opened(builder());
        Future<?> waits = inBackground(() -> {
            other.exclusive(key).acquire(PATIENCE).close();
            return null;
        });
        database.awaitWaiter(key);
        String tree = LockDiagnostics.tree(diagnostics.waitTree());
        // What another program held is the locker's, which lets it go here.
        locker.close();
        waits.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        return tree;
    }

    /** The control: what is in a text is seen, however it is sent. */
    @Test
    void wireTap_sqlTexts_areSeen() throws SQLException {
        try (WireTap tap = new WireTap(database.url());
                Connection connection = DriverManager.getConnection(tap.url());
                Statement statement = connection.createStatement()) {
            statement.execute("select 'payload simple'");
            connection.prepareStatement("select 'payload prepared'").execute();
            assertThat(tap.sql())
                    .anyMatch(sql -> sql.contains("payload simple"))
                    .anyMatch(sql -> sql.contains("payload prepared"));
        }
    }

    /** PostgreSQL's text cannot hold it, so it is refused before it gets there; the message shows it. */
    @ParameterizedTest
    @ValueSource(strings = {"\0", "payload\0", "payload\0'; drop table pals.lock_name; --"})
    void nul_anywhere_isRefusedByName(String name) {
        String shown = name.replace("\0", "\\u0000");
        for (String what : List.of("app name", "lock name")) {
            String app = what.equals("app name") ? name : "app";
            String lock = what.equals("app name") ? "lock" : name;
            assertThatThrownBy(() -> LockKey.of(app, lock))
                    .isInstanceOf(InvalidLockNameException.class)
                    .hasMessageContainingAll(what, shown);
            assertThatThrownBy(() -> LockFamily.byLong(app, lock))
                    .isInstanceOf(InvalidLockNameException.class)
                    .hasMessageContainingAll(what, shown);
        }
        assertThatThrownBy(() -> Locker.builder(name))
                .isInstanceOf(InvalidLockNameException.class)
                .hasMessageContaining(shown);
        assertThatThrownBy(() -> LockFamily.byString("app", "family").of(name))
                .isInstanceOf(InvalidLockIdException.class)
                .hasMessageContaining(shown);
    }
}
