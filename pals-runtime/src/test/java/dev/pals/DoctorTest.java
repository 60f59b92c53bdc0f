package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.pals.PgBouncer.PoolMode;
import dev.pals.db.PalsSchema;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.diagnostics.Diagnosis;
import dev.pals.diagnostics.Diagnosis.Finding;
import dev.pals.diagnostics.Diagnosis.Level;
import dev.pals.diagnostics.Doctor;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockUse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** One call tells all that a support ticket needs. */
final class DoctorTest extends LockerFixture {
    private static final Duration SECOND = Duration.ofSeconds(1);

    DoctorTest(TestDatabase database) {
        super(database, "patient");
    }

    @Test
    void examine_healthyServer_findsNothingWrongAndChangesNothing() {
        Locker locker = locker();
        try (LockHandle held = locker.exclusive(ShopCatalog.STOCKTAKING).acquire()) {
            assertThat(held.isHeld()).isTrue();
            Diagnosis diagnosis = Doctor.examine(database.dataSource(), locker.uses());

            assertThat(diagnosis.findings())
                    .as(diagnosis.toString())
                    .extracting(Finding::level, Finding::subject)
                    .containsExactly(
                            tuple(Level.OK, "server"),
                            tuple(Level.OK, "pooler"),
                            tuple(Level.OK, "exclusion"),
                            tuple(Level.OK, "connections"),
                            tuple(Level.OK, "lock table"),
                            tuple(Level.OK, "schema"),
                            tuple(Level.OK, "rights"),
                            tuple(Level.OK, "names"),
                            tuple(Level.OK, "long holders"),
                            tuple(Level.OK, "long waiters"),
                            tuple(Level.OK, "orphans"));
            assertThat(diagnosis.level()).isEqualTo(Level.OK);
            assertThat(text(diagnosis, "server")).startsWith("PostgreSQL ").contains("role ");
            assertThat(text(diagnosis, "schema")).contains("version " + PalsSchema.VERSION);
            assertThat(text(diagnosis, "names")).contains("shop 2");
            assertThat(diagnosis.toString())
                    .contains("stocktaking", "Held (1):", "Waiting (0):", "In this program (1):", "DoctorTest.java")
                    .startsWith("OK       server         PostgreSQL ");
            assertThat(database.advisoryRows()).hasSize(1);
        }
    }

    private static String text(Diagnosis diagnosis, String subject) {
        return finding(diagnosis, subject).text();
    }

    private static Finding finding(Diagnosis diagnosis, String subject) {
        return diagnosis.findings().stream()
                .filter(finding -> finding.subject().equals(subject))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + subject + " in " + diagnosis));
    }

    /** As a program takes it that does not use a locker, and so gives no sign of life. */
    @Test
    void examine_silentHolderAndItsWaiter_namesBoth() throws Exception {
        String url = database.urlWith("ApplicationName=silent");
        Locker waits = locker();
        Future<?> waiter;
        try (Connection silent = DriverManager.getConnection(url);
                Statement statement = silent.createStatement()) {
            statement.execute(
                    "select pg_advisory_lock(" + ShopCatalog.ACCOUNT.of(7L).lockHash() + ")");
            waiter = inBackground(() -> {
                waits.exclusive(ShopCatalog.ACCOUNT.of(7L)).acquire().close();
                return null;
            });
            database.awaitWaiter(ShopCatalog.ACCOUNT.of(7L));

            await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                Diagnosis diagnosis = Doctor.examine(database.dataSource(), waits.uses(), SECOND);
                assertThat(diagnosis.level()).isEqualTo(Level.WARNING);
                assertThat(text(diagnosis, "orphans")).contains("shop.account:7", "of silent, silent for PT");
                assertThat(text(diagnosis, "long holders")).contains("shop.account:7");
                assertThat(text(diagnosis, "long waiters")).contains("shop.account:7");
                assertThat(diagnosis.toString()).contains("waits for shop.account:7 (exclusive)");
            });
        }
        waiter.get(30, TimeUnit.SECONDS);
    }

    @Test
    void examine_lockOfALongTransaction_isNotSaidToBeAsOld() throws Exception {
        try (Connection open = DriverManager.getConnection(database.url());
                Statement statement = open.createStatement()) {
            open.setAutoCommit(false);
            statement.execute(
                    "select pg_advisory_xact_lock(" + ShopCatalog.ACCOUNT.of(8L).lockHash() + ")");
            await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                // Speaks all the time, so that nothing is known but its transaction.
                statement.execute("select 1");
                assertThat(text(Doctor.examine(database.dataSource(), List.of(), SECOND), "long holders"))
                        .startsWith("shop.account:8 by process ")
                        .contains("in a transaction that has been open for PT");
            });
        }
    }

    @Test
    void examine_holdersOfThisProgram_areToldByThreadAndPlace() {
        LockUse held = new LockUse(
                ShopCatalog.STOCKTAKING,
                LockMode.EXCLUSIVE,
                true,
                "nightly",
                "Nightly.java:12",
                Duration.ofMinutes(2),
                OptionalInt.of(4711));

        Diagnosis diagnosis = Doctor.examine(database.dataSource(), List.of(held));

        assertThat(text(diagnosis, "long holders"))
                .contains("stocktaking", "nightly of this program for PT2M", "Nightly.java:12");
    }

    @Test
    void examine_schemaIsMissing_saysSoAndTellsTheRest() {
        try (ScratchDatabase empty = database.emptyDatabase()) {
            Diagnosis diagnosis = Doctor.examine(dataSource(empty.url()));

            assertThat(diagnosis.level()).as(diagnosis.toString()).isEqualTo(Level.WARNING);
            assertThat(text(diagnosis, "schema")).contains("not installed", "PalsSchema.migrate");
            assertThat(finding(diagnosis, "locks").level()).isEqualTo(Level.WARNING);
            assertThat(finding(diagnosis, "exclusion").level()).isEqualTo(Level.OK);
        }
    }

    @Test
    void examine_roleWithoutRights_saysWhichAndWhatFor() {
        String role = "pals_patient_" + ProcessHandle.current().pid();
        database.execute("create role " + role);
        try {
            database.execute("grant usage on schema pals to " + role);
            database.execute("grant select on pals.advisory_lock to " + role);

            Diagnosis diagnosis = Doctor.examine(dataSource(database.urlWith("options=-c%20role=" + role)));

            assertThat(finding(diagnosis, "rights").level())
                    .as(diagnosis.toString())
                    .isEqualTo(Level.WARNING);
            assertThat(text(diagnosis, "rights"))
                    .contains(
                            "select on pals.advisory_wait",
                            "update on pals.lock_name",
                            "usage on sequence pals.fencing_token",
                            "insert, update on pals.fence",
                            "pg_read_all_stats")
                    .doesNotContain("pals.advisory_lock (");
            assertThat(text(diagnosis, "schema")).contains("may not read");
            assertThat(text(diagnosis, "names")).contains("42501");
            // The extension's own session is there, of another role.
            assertThat(text(diagnosis, "connections")).doesNotStartWith("0 of");
        } finally {
            database.execute("drop owned by " + role);
            database.execute("drop role " + role);
        }
    }

    @Test
    void examine_schemaWithoutFlyway_tellsTheRest() {
        try (ScratchDatabase scratch = database.emptyDatabase()) {
            PalsSchema.migrate(dataSource(scratch.url()));
            execute(scratch, "drop table pals.flyway_schema_history");

            Diagnosis diagnosis = Doctor.examine(dataSource(scratch.url()));

            assertThat(diagnosis.level()).as(diagnosis.toString()).isEqualTo(Level.OK);
            assertThat(text(diagnosis, "schema")).contains("may not read");
        }
    }

    @Test
    void examine_olderSchema_isWarnedOf() {
        try (ScratchDatabase scratch = database.emptyDatabase()) {
            PalsSchema.migrate(dataSource(scratch.url()));
            execute(scratch, "delete from pals.flyway_schema_history where version = '" + PalsSchema.VERSION + "'");

            Diagnosis diagnosis = Doctor.examine(dataSource(scratch.url()));

            assertThat(finding(diagnosis, "schema").level())
                    .as(diagnosis.toString())
                    .isEqualTo(Level.WARNING);
        }
    }

    private static void execute(ScratchDatabase scratch, String sql) {
        DSL.using(dataSource(scratch.url()), SQLDialect.POSTGRES).execute(sql);
    }

    @Test
    void examine_lockOfAnotherProgram_saysThatItsAgeIsNotKnown() {
        Locker other = locker();
        try (LockHandle held = other.exclusive(ShopCatalog.STOCKTAKING).acquire()) {
            assertThat(held.isHeld()).isTrue();

            Diagnosis diagnosis = Doctor.examine(database.dataSource());

            assertThat(diagnosis.findings())
                    .as(diagnosis.toString())
                    .anySatisfy(finding ->
                            assertThat(finding.text()).contains("for how long 1 more of other programs are held"));
        }
    }

    @Test
    void examine_noServer_isAnErrorThatKeepsThePassword() {
        Diagnosis diagnosis =
                Doctor.examine(dataSource("jdbc:postgresql://127.0.0.1:1/app?user=app&password=open-sesame"));

        assertThat(diagnosis.level()).isEqualTo(Level.ERROR);
        assertThat(diagnosis.toString())
                .contains("connection", "SQLSTATE 08001")
                .doesNotContain("open-sesame");
    }

    @Test
    void examine_poolerInTransactionMode_isAnErrorAndSeen() {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.TRANSACTION, 4)) {
            Diagnosis diagnosis = Doctor.examine(dataSource(bouncer.url()));

            assertThat(diagnosis.level()).as(diagnosis.toString()).isEqualTo(Level.ERROR);
            assertThat(text(diagnosis, "pooler")).contains("one between");
            assertThat(finding(diagnosis, "exclusion").level()).isEqualTo(Level.ERROR);
            assertThat(text(diagnosis, "exclusion")).contains("session mode");
        }
    }

    @Test
    void examine_poolerInSessionMode_isSeenAndFine() {
        try (PgBouncer bouncer = PgBouncer.start(database.url(), PoolMode.SESSION, 4)) {
            Diagnosis diagnosis = Doctor.examine(dataSource(bouncer.url()));

            assertThat(diagnosis.level()).as(diagnosis.toString()).isEqualTo(Level.OK);
            assertThat(text(diagnosis, "pooler")).contains("one between");
        }
    }

    @Test
    void examine_standby_isAnError(@TempDir Path directory) {
        try (PrimaryAndStandby servers = PrimaryAndStandby.start(directory)) {
            assertThat(text(Doctor.examine(dataSource(servers.standbyUrl())), "exclusion"))
                    .contains("standby");
        }
    }

    private static PGSimpleDataSource dataSource(String url) {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(url);
        return dataSource;
    }
}
