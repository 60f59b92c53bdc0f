package dev.pals.db;

import static dev.pals.db.jooq.pals.Sequences.FENCING_TOKEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pals.db.jooq.pg_catalog.routines.PgAdvisoryLock1;
import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;
import org.jooq.DSLContext;
import org.jooq.Routine;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.platform.commons.support.ReflectionSupport;
import org.postgresql.ds.PGSimpleDataSource;

class PalsSchemaTest {
    private static final int MIGRATIONS = 5;

    private static PostgresServer server;
    private ScratchDatabase database;
    private PGSimpleDataSource dataSource;
    private DSLContext dsl;

    @BeforeAll
    static void startServer() {
        server = PostgresServer.start();
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @BeforeEach
    void createDatabase() {
        database = server.newDatabase();
        dataSource = new PGSimpleDataSource();
        dataSource.setUrl(database.url());
        dsl = DSL.using(dataSource, SQLDialect.POSTGRES);
    }

    @AfterEach
    void dropDatabase() {
        database.close();
    }

    @Test
    void version_isThatOfTheNewestMigration() {
        PalsSchema.migrate(dataSource);

        assertThat(dsl.fetchValue("select max(version::int) from pals.flyway_schema_history"))
                .hasToString(PalsSchema.VERSION);
    }

    @Test
    void migrate_emptyDatabase_installsTablesSequenceViewAndHistory() {
        PalsSchema.migrate(dataSource);

        assertThat(relations("pals"))
                .contains(
                        "lock_name",
                        "fence",
                        "fencing_token",
                        "advisory_lock",
                        "advisory_wait",
                        "flyway_schema_history");
        assertThat(relations("public")).isEmpty();
    }

    @Test
    void fencingTokens_ofTwoSessions_comeInOrderWithRoomBetween() {
        PalsSchema.migrate(dataSource);

        assertThat(nextToken()).isEqualTo(1);
        assertThat(nextToken()).isEqualTo(1025);
        assertThat(dsl.fetchSingle("select cache_size, cycle from pg_sequences where sequencename = 'fencing_token'")
                        .intoList())
                .containsExactly(1L, false);
    }

    /** A session for each call, since the data source is no pool. */
    private long nextToken() {
        return dsl.nextval(FENCING_TOKEN);
    }

    @Test
    void migrate_emptyDatabase_explainsEachTableColumnAndSequence() {
        PalsSchema.migrate(dataSource);

        assertThat(dsl.fetchValues("select obj_description(c) from unnest(array['pals.fence'::regclass,"
                        + " 'pals.fencing_token'::regclass]) c union all select col_description('pals.fence'::regclass, n)"
                        + " from generate_series(1, 2) n"))
                .hasSize(4)
                .doesNotContainNull();
    }

    @Test
    void migrate_twice_changesNothing() {
        PalsSchema.migrate(dataSource);
        PalsSchema.migrate(dataSource);

        assertThat(appliedMigrations()).isEqualTo(MIGRATIONS);
    }

    @Test
    void applicationsOwnFlyway_isNotDisturbed() {
        Flyway app = Flyway.configure()
                .dataSource(dataSource)
                .locations("classpath:app/migration")
                .load();
        app.migrate();
        PalsSchema.migrate(dataSource);
        app.migrate();
        app.validate();

        assertThat(relations("public")).contains("app_thing", "flyway_schema_history");
        assertThat(dsl.fetchCount(DSL.table("public.flyway_schema_history"))).isEqualTo(1);
        assertThat(appliedMigrations()).isEqualTo(MIGRATIONS);
    }

    @Test
    void applicationsOwnFlyway_afterOurs_seesAnEmptySchema() {
        PalsSchema.migrate(dataSource);
        Flyway app = Flyway.configure()
                .dataSource(dataSource)
                .locations("classpath:app/migration")
                .load();
        app.migrate();
        PalsSchema.migrate(dataSource);
        app.validate();

        assertThat(app.info().all()).extracting(MigrationInfo::getScript).containsExactly("V1__app_thing.sql");
        assertThat(appliedMigrations()).isEqualTo(MIGRATIONS);
    }

    @Test
    void migrate_twoConnections_suffice() throws Exception {
        FewConnections few = new FewConnections(dataSource, 2);

        PalsSchema.migrate(few.dataSource());

        assertThat(few.mostInUse()).isBetween(1, 2);
        assertThat(appliedMigrations()).isEqualTo(MIGRATIONS);
    }

    @Test
    void migrate_oneConnection_isTooFew() throws Exception {
        FewConnections few = new FewConnections(dataSource, 1);

        assertThatThrownBy(() -> PalsSchema.migrate(few.dataSource())).hasStackTraceContaining("no connection is left");
    }

    @Test
    void migrate_databaseThatRefuses_isAnError() {
        dataSource.setUrl("jdbc:postgresql://127.0.0.1:1/nowhere");

        assertThatThrownBy(() -> PalsSchema.migrate(dataSource)).isInstanceOf(DataAccessException.class);
    }

    @Test
    void migrate_fromManyThreads_appliesEachMigrationOnce() throws Exception {
        int threads = 8;
        CountDownLatch start = new CountDownLatch(1);
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> results = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                results.add(executor.submit(() -> {
                    start.await();
                    PalsSchema.migrate(dataSource);
                    return null;
                }));
            }
            start.countDown();
            for (Future<?> result : results) {
                result.get(60, TimeUnit.SECONDS);
            }
        } finally {
            executor.shutdownNow();
        }

        assertThat(appliedMigrations()).isEqualTo(MIGRATIONS);
    }

    @Test
    void migrate_fromManyProcesses_appliesEachMigrationOnce() throws Exception {
        List<Process> processes = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                processes.add(startProcess());
            }
            for (Process process : processes) {
                assertThat(process.getInputStream().read()).isEqualTo(MigrateMain.READY);
            }
            for (Process process : processes) {
                process.getOutputStream().write('\n');
                process.getOutputStream().flush();
            }
            for (Process process : processes) {
                assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
                assertThat(process.exitValue()).isZero();
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
        }

        assertThat(appliedMigrations()).isEqualTo(MIGRATIONS);
    }

    @Test
    void lockKey_isTheHashOfItsName() throws Exception {
        byte[] sha1 = MessageDigest.getInstance("SHA-1").digest("pals.schema".getBytes(StandardCharsets.UTF_8));

        assertThat(PalsSchema.LOCK_KEY)
                .isEqualTo(ByteBuffer.wrap(sha1).order(ByteOrder.LITTLE_ENDIAN).getLong());
    }

    @Test
    void generatedRoutines_coverThe21AdvisoryLockFunctions() throws Exception {
        List<String> functions = dsl.fetch("select proname || pronargs as f from pg_proc"
                        + " where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^pg_(try_)?advisory_'")
                .getValues("f", String.class);
        List<String> generated = generatedAdvisoryRoutines();

        assertThat(functions).hasSize(21);
        assertThat(generated).containsExactlyInAnyOrderElementsOf(functions);
    }

    private static List<String> generatedAdvisoryRoutines() throws ReflectiveOperationException {
        List<String> names = new ArrayList<>();
        for (Class<?> type : ReflectionSupport.findAllClassesInPackage(
                PgAdvisoryLock1.class.getPackageName(), Routine.class::isAssignableFrom, n -> n.contains("Advisory"))) {
            Routine<?> routine = type.asSubclass(Routine.class).getConstructor().newInstance();
            names.add(routine.getName() + routine.getInParameters().size());
        }
        return names;
    }

    private Process startProcess() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        MigrateMain.class.getName())
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("MIGRATE_URL", database.url());
        return builder.start();
    }

    private int appliedMigrations() {
        return dsl.fetchCount(DSL.table("pals.flyway_schema_history"), DSL.condition("type = 'SQL'"));
    }

    private List<String> relations(String schema) {
        return dsl.fetch(
                        "select relname from pg_class where relkind in ('r', 'v', 'S') and relnamespace = to_regnamespace(?)",
                        schema)
                .getValues("relname", String.class);
    }
}
