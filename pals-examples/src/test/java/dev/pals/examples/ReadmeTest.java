package dev.pals.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.pals.Locker;
import dev.pals.db.PalsSchema;
import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.jooq.FencingTokens;
import dev.pals.jooq.TransactionLocks;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;
import org.junit.jupiter.api.Test;

/** Compiles and runs the README's snippets: each of its Java blocks must stand in this module, line for line. */
class ReadmeTest {
    private static final Table<?> INVOICE_RUN = DSL.table(DSL.name("invoice_run"));
    private static final Field<Boolean> FINISHED = DSL.field(DSL.name("finished"), SQLDataType.BOOLEAN);

    private final List<String> done = new ArrayList<>();

    @Test
    void readme_snippets_standInThisModule() throws IOException {
        StringBuilder sources = new StringBuilder();
        for (String file : List.of(
                "test/java/dev/pals/examples/ReadmeTest.java",
                "test/java/dev/pals/examples/BillingLock.java",
                "test/java/dev/pals/examples/DunningLock.java",
                "main/java/dev/pals/examples/jobs/JobWorker.java")) {
            sources.append(Files.readString(Path.of("src").resolve(file)));
        }
        String source = unindented(sources.toString());
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("..", "README.md")));

        int blocks = 0;
        while (block.find()) {
            assertThat(source).contains(unindented(block.group(1)));
            blocks++;
        }
        assertThat(blocks).isEqualTo(7);
    }

    /** The consumer build of pals-codegen runs with them. */
    @Test
    void readme_mavenSnippets_standInTheConsumerBuild() throws IOException {
        String pom = Files.readString(Path.of("..", "pals-codegen", "src", "it", "baseline", "pom.xml"))
                .replace("${pals.version}", "0.1.0-SNAPSHOT")
                .replace("<arg>-Xlint:all,-options</arg>", "")
                .replace("<arg>-Werror</arg>", "")
                .replace("<version>@maven-compiler-plugin.version@</version>", "")
                .replace("<showWarnings>true</showWarnings>", "");
        Matcher block = Pattern.compile("```xml\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("..", "README.md")));

        int blocks = 0;
        while (block.find()) {
            assertThat(unindented(pom)).contains(unindented(block.group(1)).replaceFirst("</plugin>$", ""));
            blocks++;
        }
        assertThat(blocks).isEqualTo(2);
        assertThat(Files.readString(Path.of("..", "README.md")))
                .contains("mvn clean compile -Dpals.baseline.update=true");
    }

    @Test
    void readme_hasOneCommandEachToRunAndToTest() throws IOException {
        String readme = Files.readString(Path.of("..", "README.md"));

        assertThat(readme).containsPattern("## Run it\n\n```sh\n[^\n]+\n```\n");
        assertThat(readme).containsPattern("## Test it\n\n```sh\n[^\n]+\n```\n");
        assertThat(readme.split("```sh", -1)).hasSize(3);
    }

    @Test
    void readme_snippets_run() {
        try (PostgresServer server = PostgresServer.start();
                ScratchDatabase database = server.newDatabase();
                HikariDataSource dataSource = new HikariDataSource()) {
            dataSource.setJdbcUrl(database.url());
            dataSource.setMaximumPoolSize(2);
            PalsSchema.migrate(dataSource);
            useIt(database.url());
            DSLContext dsl = DSL.using(dataSource, SQLDialect.POSTGRES);
            dsl.createTable(INVOICE_RUN).column(FINISHED).execute();
            dsl.insertInto(INVOICE_RUN, FINISHED).values(false).execute();
            for (Runnable snippet : List.<Runnable>of(
                    () -> surviveTheWorst(database.url(), dsl),
                    () -> lockWithinATransaction(dsl),
                    () -> beginWithinALock(database.url(), dsl))) {
                dsl.update(INVOICE_RUN).set(FINISHED, false).execute();
                snippet.run();
                assertThat(dsl.select(FINISHED).from(INVOICE_RUN).fetchSingle(FINISHED))
                        .isTrue();
            }
        }
        assertThat(done).containsExactly("invoices", "transfer", "prices", "prices");
    }

    private void useIt(String jdbcUrl) {
        try (Locker locker = Locker.create("billing", jdbcUrl)) {

            // Waits for at most 30 seconds, then throws LockTimeoutException.
            try (LockHandle lock = locker.exclusive(BillingLockKeys.INVOICE_RUN).acquire()) {
                runInvoices();
            }

            // Does not wait.
            Optional<LockHandle> lock =
                    locker.exclusive(BillingLockKeys.ACCOUNT.of(42L)).tryAcquire();
            lock.ifPresent(LockHandle::close);

            // Both or none, in the same order everywhere, so that requests do not deadlock.
            locker.exclusive(BillingLockKeys.ACCOUNT.of(1L), BillingLockKeys.ACCOUNT.of(2L))
                    .waitAtMost(Duration.ofSeconds(5))
                    .run(() -> transfer());

            // A plain name; any number of readers at a time.
            locker.shared(locker.key("price-list")).run(() -> readPrices());
        }
    }

    private void surviveTheWorst(String jdbcUrl, DSLContext dsl) {
        try (Locker locker = Locker.builder("billing")
                .url(jdbcUrl)
                .lease(Duration.ofSeconds(20)) // a program that hangs for so long loses its locks
                .fencingTokens() // and what it writes when it wakes up is refused
                .listener(new LockLog()) // which tells of the loss, as do LockFlightRecorder and listeners of yours
                .build()) {

            try (LockHandle lock = locker.exclusive(BillingLockKeys.INVOICE_RUN).acquire()) {
                lock.onLost(lost -> stopTheRun());
                dsl.transaction(trx -> {
                    FencingTokens.check(trx, lock);
                    trx.dsl().update(INVOICE_RUN).set(FINISHED, true).execute();
                });
            }

            // No thread waits.
            CompletionStage<Void> read = locker.shared(locker.key("price-list"))
                    .acquireAsync()
                    .thenAccept(lock -> {
                        try (lock) {
                            readPrices();
                        }
                    });
            read.toCompletableFuture().join();
        }
    }

    private static void lockWithinATransaction(DSLContext dsl) {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx).exclusive(BillingLockKeys.ACCOUNT.of(42L)).acquire();
            trx.dsl().update(INVOICE_RUN).set(FINISHED, true).execute();
        });
    }

    private static void beginWithinALock(String jdbcUrl, DSLContext dsl) {
        try (Locker locker = Locker.create("billing", jdbcUrl)) {
            locker.exclusive(BillingLockKeys.ACCOUNT.of(42L)).transaction(dsl, trx -> {
                trx.dsl().update(INVOICE_RUN).set(FINISHED, true).execute();
            });
        }
    }

    private void stopTheRun() {
        done.add("stopped");
    }

    private void runInvoices() {
        done.add("invoices");
    }

    private void transfer() {
        done.add("transfer");
    }

    private void readPrices() {
        done.add("prices");
    }

    /** The formatter indents and wraps by its own rules, so white space does not count. */
    private static String unindented(String code) {
        return code.lines().map(String::strip).collect(Collectors.joining()).replaceAll("\\s+", "");
    }
}
