package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.WaitPolicy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A statement that waits for a lock holds a snapshot, and {@code create index concurrently} waits for all older
 * snapshots: so a wait is made of slices.
 *
 * @see <a href="https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY">Building
 *     indexes concurrently</a>
 */
final class WaitSliceTest extends LockerFixture {
    private static final LockKey KEY = LockKey.of("slice", "held for long");

    WaitSliceTest(TestDatabase database) {
        super(database, "slice");
    }

    @BeforeEach
    void createTable() {
        database.execute("create table indexed (id int)");
    }

    @AfterEach
    void dropTable() {
        database.execute("drop table indexed");
    }

    @Test
    void createIndexConcurrently_besideOurWaiter_ends() {
        Locker waiting = opened(builder().orphanTime(Duration.ofSeconds(2)));
        LockHandle held = locker().exclusive(KEY).acquire();
        CompletableFuture<LockHandle> waiter = waiting.exclusive(KEY)
                .waiting(WaitPolicy.forever())
                .acquireAsync()
                .toCompletableFuture();
        database.awaitWaiter(KEY);

        assertThat(inBackground(this::createIndex)).succeedsWithin(PATIENCE);
        assertThat(waiter).isNotDone();
        held.close();
        assertThat(waiter).succeedsWithin(PATIENCE).satisfies(LockHandle::close);
    }

    @Test
    void createIndexConcurrently_besideAWaitInOnePiece_waitsForIt() throws SQLException {
        Future<Void> building;
        try (Connection holder = DriverManager.getConnection(database.url());
                Connection waiter = DriverManager.getConnection(database.url())) {
            lock(holder, KEY);
            Future<Void> wait = inBackground(() -> lock(waiter, KEY));
            database.awaitWaiter(KEY);

            building = inBackground(this::createIndex);
            await().atMost(PATIENCE).until(this::isBlockedByASnapshot);
            assertThat(building).isNotDone();
            holder.close();
            assertThat(wait).succeedsWithin(PATIENCE);
        }
        assertThat(building).succeedsWithin(PATIENCE);
    }

    private Void createIndex() throws SQLException {
        try (Connection connection = DriverManager.getConnection(database.url());
                Statement statement = connection.createStatement()) {
            statement.execute("create index concurrently on indexed (id)");
            return null;
        }
    }

    private static Void lock(Connection connection, LockKey key) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select pg_advisory_lock(?)")) {
            statement.setLong(1, key.lockHash());
            statement.execute();
            return null;
        }
    }

    private boolean isBlockedByASnapshot() throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("select exists(select from pg_stat_activity"
                        + " where query like 'create index concurrently%' and wait_event = 'virtualxid')")) {
            result.next();
            return result.getBoolean(1);
        }
    }
}
