package dev.pals;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.db.PalsSchema;
import dev.pals.diagnostics.Doctor;
import dev.pals.diagnostics.LockDiagnostics;
import dev.pals.key.LockKey;
import dev.pals.lock.LockFlightRecorder;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLog;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

/**
 * A program that says all that it can about its locks, also about what goes wrong. It hears the URL, and then the
 * password.
 */
final class PasswordsMain {
    private static final Duration SHORT = Duration.ofMillis(50);

    private PasswordsMain() {}

    /** Argument: the file of the recording. */
    public static void main(String[] args) throws Exception {
        String server = OtherProgram.heard();
        String password = OtherProgram.heard();
        try (Recording recording = new Recording(Configuration.getConfiguration("profile"))) {
            recording.start();
            work(server, password);
            fail(server, password + "-wrong");
            fail(server.replaceFirst("/[^/?]*\\?", "/no-such-database?"), password);
            fail(server.replaceFirst("//[^/]*", "//127.0.0.1:1"), password);
            fail(server.replaceFirst("//[^/]*", "//localhost:no-port"), password);
            String url = withPassword(server, password);
            for (String refused : List.of(
                    url.replaceFirst("^jdbc:", ""),
                    url.replaceFirst("^jdbc:", " jdbc:"),
                    url.replaceFirst("//", "//someone:" + password + "@"),
                    url.replaceFirst("//", "//someone:a/" + password + "@"),
                    url.replaceFirst("\\?", "/?"),
                    url + "%zz")) {
                attempt(
                        "a URL that is refused",
                        () -> Locker.create("passwords", refused).close());
            }
            recording.dump(Path.of(args[0]));
        }
        OtherProgram.say("done");
    }

    private static String withPassword(String server, String password) {
        return server + "&password=" + password;
    }

    private static HikariConfig pooled(String server, String password) {
        HikariConfig config = new HikariConfig();
        config.setInitializationFailTimeout(-1);
        config.setConnectionTimeout(250);
        config.setMaximumPoolSize(4);
        config.setJdbcUrl(server);
        config.setPassword(password);
        return config;
    }

    private static void work(String server, String password) throws Exception {
        HikariConfig config = pooled(server, password);
        config.setConnectionTimeout(5_000);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            PalsSchema.migrate(pool);
            for (LockerBuilder builder : List.of(
                    Locker.builder("passwords").url(withPassword(server, password)),
                    Locker.builder("passwords").dataSource(pool).maxSessions(3))) {
                builder.fencingTokens()
                        .lease(Duration.ofSeconds(20))
                        .listener(new LockLog())
                        .listener(new LockFlightRecorder());
                DSLContext dsl = DSL.using(pool, SQLDialect.POSTGRES);
                use(builder, dsl);
                OtherProgram.say(LockDiagnostics.of(dsl).held().format());
                OtherProgram.say(Doctor.examine(pool).toString());
            }
        }
    }

    private static void use(LockerBuilder builder, DSLContext dsl) throws Exception {
        try (Locker locker = builder.build()) {
            LockKey key = locker.key("secret-keeping");
            OtherProgram.say(locker.toString());
            OtherProgram.say(locker.exclusive(key).toString());
            OtherProgram.say(locker.exclusive(key).asLock().toString());
            LockHandle held = locker.exclusive(key).acquire();
            OtherProgram.say(held.toString());
            OtherProgram.say(locker.uses().toString());
            attempt("a wait that is too long", () -> locker.exclusive(key).acquire(SHORT));
            CountDownLatch lost = new CountDownLatch(1);
            held.onLost(loss -> {
                loss.printStackTrace(System.out);
                lost.countDown();
            });
            dsl.fetch("select pg_terminate_backend(pid) from pals.advisory_lock where granted");
            lost.await();
            attempt("a loss", held::close);
        }
    }

    private static void fail(String server, String password) {
        attempt(
                "a locker of a pool of its own",
                () -> Locker.create("passwords", withPassword(server, password)).close());
        attempt("a locker of a data source", () -> {
            try (HikariDataSource pool = new HikariDataSource(pooled(server, password))) {
                OtherProgram.say(Doctor.examine(pool).toString());
                Locker.builder("passwords").dataSource(pool).build().close();
            }
        });
    }

    private interface Attempt {
        void run() throws Exception;
    }

    private static void attempt(String what, Attempt attempt) {
        try {
            attempt.run();
            OtherProgram.say("Went well: " + what);
        } catch (Exception e) {
            OtherProgram.say("Failed as it should: " + what);
            e.printStackTrace(System.out);
        }
    }
}
