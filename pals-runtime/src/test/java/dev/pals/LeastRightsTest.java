package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.db.PalsSchema;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.diagnostics.Diagnosis.Level;
import dev.pals.diagnostics.Doctor;
import dev.pals.diagnostics.LockDiagnostics;
import dev.pals.jooq.FencingTokens;
import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockHandle;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.ds.PGSimpleDataSource;

/** A role with the grants of docs/security.md, where {@code public} has none, and with each of them left out. */
final class LeastRightsTest extends LockerFixture {
    private static final Path DOCUMENT = Path.of("..", "docs", "security.md");
    private static final String APP = "least-rights";
    private static final LockKey KEY = LockKey.of(APP, "key");
    private static final LockKey ANOTHER = LockKey.of(APP, "another");

    private final String role = "pals_least_rights_" + ProcessHandle.current().pid();
    private final ScratchDatabase scratch;
    private final DataSource limited;
    /** What the role was told, by exceptions, by the log and by the doctor. */
    private final List<String> complaints = new ArrayList<>();

    LeastRightsTest(TestDatabase database) {
        super(database, APP);
        scratch = database.emptyDatabase();
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setURL(scratch.url());
        dataSource.setUser(role);
        dataSource.setPassword("least");
        limited = dataSource;
    }

    /** Each right of the document by itself: PostgreSQL lets several stand in one statement. */
    static Stream<String> grants() throws IOException {
        List<String> grants = new ArrayList<>();
        Matcher statement = Pattern.compile("^grant (.+?)( on [^;]*?)?( to app);$", Pattern.MULTILINE)
                .matcher(Files.readString(DOCUMENT));
        while (statement.find()) {
            String on = statement.group(2) == null ? "" : statement.group(2);
            Matcher kind = Pattern.compile(" on (function |sequence |schema |database )?")
                    .matcher(on);
            String start = kind.lookingAt() ? kind.group() : "";
            for (String object : on.substring(start.length()).split(", ", -1)) {
                grants.add("grant " + statement.group(1) + start + object + statement.group(3));
            }
        }
        assertThat(grants).hasSize(19);
        return grants.stream();
    }

    @BeforeEach
    void createRole() throws SQLException {
        PGSimpleDataSource owner = new PGSimpleDataSource();
        owner.setURL(scratch.url());
        PalsSchema.migrate(owner);
        execute("create role " + role + " login password 'least'");
        execute("revoke all on database " + databaseName() + " from public");
        execute("do $$ declare f regprocedure; begin for f in select oid from pg_proc"
                + " where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^pg_(try_)?advisory_'"
                + " loop execute 'revoke execute on function ' || f || ' from public'; end loop; end $$");
    }

    @AfterEach
    void dropRole() {
        scratch.close();
        database.execute("drop role " + role);
    }

    @Test
    void role_withTheDocumentedGrants_canDoAll() throws Exception {
        for (String grant : grants().toList()) {
            grant(grant);
        }
        useAll();
        assertThat(complaints).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("grants")
    void role_withoutOneOfTheGrants_isToldWhich(String lacking) throws Exception {
        for (String grant : grants().toList()) {
            if (!grant.equals(lacking)) {
                grant(grant);
            }
        }
        useAll();

        String object = lacking.equals("grant connect on database shop to app")
                ? databaseName()
                : lacking.replaceFirst(" to app$", "")
                        .replaceFirst("\\(.*", "")
                        .replaceFirst("^grant (.* on )?(function pg_catalog\\.|sequence )?", "");
        if (object.equals("pg_advisory_unlock_all")) {
            // Connections are cut then, instead of going back to the pool.
            assertThat(complaints).isEmpty();
            return;
        }
        assertThat(complaints).as("without: %s", lacking).anyMatch(text -> text.contains(object));
        assertThat(complaints)
                .filteredOn(text -> text.startsWith(LockDatabaseException.class.getName()))
                .allMatch(text -> text.contains("docs/security.md") || text.contains("grant it usage on schema pals"));
        if (object.matches("pals_.*|pg_advisory_(un)?lock|pg_try_advisory_lock|pg_advisory_lock_shared|pals\\.fence")) {
            assertThat(complaints).anyMatch(text -> text.startsWith(LockDatabaseException.class.getName()));
        }
    }

    private void grant(String grant) throws SQLException {
        execute(grant.replace("database shop", "database " + databaseName()).replaceFirst("app$", role));
    }

    private void useAll() throws Exception {
        HikariConfig config = new HikariConfig();
        config.setDataSource(limited);
        config.setMaximumPoolSize(6);
        config.setConnectionTimeout(5_000);
        // A role that may not connect is told by the locker, not when the pool is made.
        config.setInitializationFailTimeout(-1);
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
        try (HikariDataSource pool = new HikariDataSource(config);
                Connection other = DriverManager.getConnection(scratch.url())) {
            attempt(() -> useLocker(other));
            DSLContext dsl = DSL.using(pool, SQLDialect.POSTGRES);
            for (boolean shared : new boolean[] {true, false}) {
                attempt(() -> useTransaction(dsl, other, shared));
            }
            attempt(() -> look(dsl, other));
            attempt(() -> Doctor.examine(limited).findings().stream()
                    .filter(finding -> finding.subject().equals("rights") && finding.level() != Level.OK)
                    .forEach(finding -> complaints.add(finding.text())));
        } finally {
            System.setErr(before);
        }
        log.toString(StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.contains("42501"))
                .forEach(complaints::add);
    }

    private interface Attempt {
        void run() throws Exception;
    }

    /** What a user would see of its failure. */
    private void attempt(Attempt attempt) {
        try {
            attempt.run();
        } catch (Exception e) {
            Throwable seen = e instanceof ExecutionException ? e.getCause() : e;
            complaints.add(String.valueOf(seen));
        }
    }

    private void useLocker(Connection other) throws Exception {
        try (Locker locker = Locker.builder(APP)
                .dataSource(limited)
                .maxSessions(4)
                .fencingTokens()
                .build()) {
            locker.exclusive(KEY, ANOTHER).acquire().close();
            locker.shared(KEY, ANOTHER).acquire().close();
            assertThat(locker.isLocked(KEY)).isFalse();
            whileHeld(other, () -> locker.exclusive(KEY).acquire(PATIENCE).close());
            whileHeld(other, () -> locker.shared(KEY).acquire(PATIENCE).close());
            try (LockHandle held = locker.exclusive(KEY).acquire()) {
                DSL.using(limited, SQLDialect.POSTGRES).transaction(trx -> FencingTokens.check(trx, held));
            }
        }
    }

    private void useTransaction(DSLContext dsl, Connection other, boolean shared) throws Exception {
        dsl.transaction(trx -> assertThat(
                        shared
                                ? TransactionLocks.in(trx).shared(KEY).tryAcquire()
                                : TransactionLocks.in(trx).exclusive(KEY).tryAcquire())
                .isTrue());
        whileHeld(
                other,
                () -> dsl.transaction(trx -> (shared
                                ? TransactionLocks.in(trx).shared(KEY)
                                : TransactionLocks.in(trx).exclusive(KEY))
                        .waitAtMost(PATIENCE)
                        .acquire()));
    }

    /** The work waits in PostgreSQL's queue, or fails at once. */
    private void whileHeld(Connection other, Attempt work) throws Exception {
        execute(other, "select pg_advisory_lock(" + KEY.lockHash() + ")");
        Future<?> waits = inBackground((Callable<?>) () -> {
            work.run();
            return "done";
        });
        try {
            await().pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(10))
                    .atMost(PATIENCE)
                    .until(() -> waits.isDone()
                            || TestDatabase.advisoryRows(other).stream().anyMatch(row -> !row.granted()));
        } finally {
            execute(other, "select pg_advisory_unlock(" + KEY.lockHash() + ")");
        }
        waits.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private void look(DSLContext dsl, Connection other) throws SQLException {
        LockDiagnostics diagnostics = LockDiagnostics.of(dsl);
        execute(other, "select pg_advisory_lock(" + ShopCatalog.STOCKTAKING.lockHash() + ")");
        try {
            assertThat(diagnostics.held())
                    .filteredOn(lock -> "stocktaking".equals(lock.getName()))
                    .singleElement()
                    .satisfies(lock -> {
                        if (lock.getHeldAtLeastSince() == null) {
                            complaints.add("pg_read_all_stats: nothing of what other roles' sessions do");
                        }
                    });
            assertThat(diagnostics.waitTree()).isEmpty();
        } catch (AssertionError e) {
            // The name is not there where the role may not write it.
            complaints.add("pals.lock_name: " + e.getMessage());
        } finally {
            execute(other, "select pg_advisory_unlock(" + ShopCatalog.STOCKTAKING.lockHash() + ")");
        }
    }

    private String databaseName() {
        return scratch.url().replaceFirst("\\?.*", "").replaceFirst(".*/", "");
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(scratch.url())) {
            execute(connection, sql);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
