package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pals.db.PalsSchema;
import dev.pals.jooq.FencingTokens;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.StaleFencingTokenException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** The standby takes over while the old primary, cut off from everything but its own clients, goes on. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class FailoverTest {
    private static final LockKey KEY = LockKey.of("failover", "key");

    private interface Turn {
        void look(DSLContext promoted, LockHandle old, LockHandle next);
    }

    @Test
    void standby_promoted_knowsNoLocksButRefusesTheOldHoldersToken(@TempDir Path directory) throws SQLException {
        failOver(directory, true, (promoted, old, next) -> {
            assertThat(next.fencingToken()).isGreaterThan(old.fencingToken());
            promoted.transaction(trx -> FencingTokens.check(trx, next));
            assertThatThrownBy(() -> promoted.transaction(trx -> FencingTokens.check(trx, old)))
                    .isInstanceOf(StaleFencingTokenException.class);
        });
    }

    @Test
    void standby_promotedWithoutTheNewestToken_doesNotTellTheHoldersApart(@TempDir Path directory) throws SQLException {
        failOver(directory, false, (promoted, old, next) -> {
            assertThat(next.fencingToken()).isEqualTo(old.fencingToken());
            promoted.transaction(trx -> FencingTokens.check(trx, next));
            assertThatCode(() -> promoted.transaction(trx -> FencingTokens.check(trx, old)))
                    .doesNotThrowAnyException();
        });
    }

    private static void failOver(Path directory, boolean replicated, Turn turn) throws SQLException {
        try (PrimaryAndStandby servers = PrimaryAndStandby.start(directory)) {
            PalsSchema.migrate(dataSource(servers.primaryUrl()));
            awaitReplicated(servers);
            if (!replicated) {
                cutOff(servers.standbyUrl());
            }
            try (Locker before = fenced(servers.primaryUrl());
                    LockHandle old = before.exclusive(KEY).acquire()) {
                if (replicated) {
                    awaitReplicated(servers);
                }
                servers.promote();

                DSLContext promoted = DSL.using(dataSource(servers.standbyUrl()), SQLDialect.POSTGRES);
                try (Locker after = fenced(servers.standbyUrl());
                        LockHandle next = after.exclusive(KEY).tryAcquire().orElseThrow()) {
                    assertThat(old.isHeld() && next.isHeld()).as("both hold it").isTrue();
                    assertThatCode(old::confirm).doesNotThrowAnyException();
                    turn.look(promoted, old, next);
                }
            }
        }
    }

    private static void cutOff(String standbyUrl) throws SQLException {
        try (Connection connection = DriverManager.getConnection(standbyUrl);
                Statement statement = connection.createStatement()) {
            statement.execute("alter system set primary_conninfo = ''");
            statement.execute("select pg_reload_conf()");
        }
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> answer(standbyUrl, "select count(*)::text from pg_stat_wal_receiver")
                        .equals("0"));
    }

    private static Locker fenced(String url) {
        return Locker.builder("failover").url(url).fencingTokens().build();
    }

    private static PGSimpleDataSource dataSource(String url) {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setURL(url);
        return dataSource;
    }

    /** As synchronous replication would have it. */
    private static void awaitReplicated(PrimaryAndStandby servers) throws SQLException {
        String written = answer(servers.primaryUrl(), "select pg_current_wal_insert_lsn()::text");
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> answer(
                                servers.standbyUrl(), "select (pg_last_wal_replay_lsn() >= '" + written + "')::text")
                        .equals("true"));
    }

    private static String answer(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }
}
