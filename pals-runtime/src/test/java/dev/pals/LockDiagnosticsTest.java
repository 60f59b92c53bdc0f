package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pals.db.jooq.pals.tables.records.AdvisoryLockRecord;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.diagnostics.LockDiagnostics;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What the audit views show, as Java sees it. */
final class LockDiagnosticsTest extends LockerFixture {
    private static final LockKey UNKNOWN = LockKey.of("diagnosed", "not in a catalog");

    private final LockDiagnostics locks;

    LockDiagnosticsTest(TestDatabase database) {
        super(database, "diagnosed");
        locks = LockDiagnostics.of(DSL.using(database.dataSource(), SQLDialect.POSTGRES));
    }

    @Test
    void held_locksOfALocker_areThereByNameAndInOrder() {
        Locker locker = locker();
        try (LockHandle account = locker.shared(ShopCatalog.ACCOUNT.of(42L)).acquire();
                LockHandle plain = locker.exclusive(ShopCatalog.STOCKTAKING).acquire();
                LockHandle unknown = locker.exclusive(UNKNOWN).acquire()) {
            assertThat(plain.isHeld() && account.isHeld() && unknown.isHeld()).isTrue();
            assertThat(locks.held())
                    .extracting(AdvisoryLockRecord::getName)
                    .containsExactly("account:42", "stocktaking", null);
            assertThat(locks.held().format()).contains("stocktaking", "exclusive", "diagnosed");
            assertThat(locks.held().formatJSON()).contains("\"stocktaking\"");
            assertThat(locks.waiting()).isEmpty();
            assertThat(locks.waitTree()).isEmpty();
        }
    }

    @Test
    void holdersOf_sharedLock_areAllThatHoldIt() {
        try (LockHandle one = locker().shared(UNKNOWN).acquire();
                LockHandle other = locker().shared(UNKNOWN).acquire()) {
            assertThat(one.isHeld() && other.isHeld()).isTrue();
            assertThat(locks.holdersOf(UNKNOWN))
                    .hasSize(2)
                    .extracting(AdvisoryLockRecord::getMode)
                    .containsOnly("shared");
            assertThat(locks.holdersOf(ShopCatalog.STOCKTAKING)).isEmpty();
        }
    }

    @Test
    void waitTree_waiterOfAnotherProgram_standsUnderTheHolder() throws Exception {
        Locker other = locker();
        Future<?> waits;
        try (LockHandle held = locker().exclusive(ShopCatalog.STOCKTAKING).acquire()) {
            assertThat(held.isHeld()).isTrue();
            waits = inBackground(() -> {
                other.exclusive(ShopCatalog.STOCKTAKING).acquire().close();
                return null;
            });
            database.awaitWaiter(ShopCatalog.STOCKTAKING);

            int holder = locks.holdersOf(ShopCatalog.STOCKTAKING).get(0).getPid();
            int waiter = locks.waiting().get(0).getPid();
            assertThat(LockDiagnostics.tree(locks.waitTree()))
                    .isEqualTo(
                            holder + " diagnosed\n  " + waiter + " diagnosed waits for shop.stocktaking (exclusive)\n");
        }
        waits.get(30, TimeUnit.SECONDS);
    }

    /** Within a transaction PostgreSQL keeps what it first saw of the sessions. */
    @Test
    void held_secondLookOfATransaction_isOfThatMoment() throws Exception {
        try (Connection other = DriverManager.getConnection(database.url());
                Statement statement = other.createStatement()) {
            statement.execute("select pg_advisory_lock(1)");
            DSL.using(database.dataSource(), SQLDialect.POSTGRES).transaction(trx -> {
                LockDiagnostics within = LockDiagnostics.of(trx.dsl());
                assertThat(within.held()).extracting(row -> row.getScope()).containsExactly("session");
                other.setAutoCommit(false);
                statement.execute("select pg_advisory_xact_lock(2)");

                assertThat(within.held())
                        .hasSize(2)
                        .allSatisfy(row -> assertThat(row.getScope()).isNull());
            });
            other.rollback();
        }
    }

    @Test
    void held_schemaIsMissing_isPostgresqlsError() {
        try (ScratchDatabase empty = database.emptyDatabase()) {
            PGSimpleDataSource dataSource = new PGSimpleDataSource();
            dataSource.setUrl(empty.url());
            DSLContext dsl = DSL.using(dataSource, SQLDialect.POSTGRES);

            assertThatThrownBy(() -> LockDiagnostics.of(dsl).held())
                    .isInstanceOfSatisfying(
                            DataAccessException.class,
                            e -> assertThat(e.sqlState()).isEqualTo("42P01"));
        }
    }
}
