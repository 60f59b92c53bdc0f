package dev.pals.benchmarks.harness;

import dev.pals.Locker;
import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.report.Figure;
import dev.pals.benchmarks.report.Metric;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import dev.pals.lock.LockHandle;
import java.io.PrintStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** How long it takes until a holder is told that its connection was ended. Of the others, none tells. */
public final class Loss {
    /** The name in results. */
    public static final String NAME = "connection ended by the server";

    private static final double NANOS_OF_A_MILLI = 1_000_000;
    private static final long PATIENCE_SECONDS = 60;

    private Loss() {}

    /** Measures it once; where that fails, the results say so. */
    public static void measure(String url, int round, Results results, PrintStream out) {
        try {
            double millis = millis(url);
            results.add(new Figure(NAME, Contestant.PALS_2.id(), Metric.NOTICED, round, millis));
            out.printf(Locale.ROOT, "%2d    %-46s %-46s %,8.0f ms%n", round, NAME, Contestant.PALS_2.title(), millis);
        } catch (Exception e) {
            e.printStackTrace(out);
            results.add(Note.failure(NAME, Contestant.PALS_2, e));
        }
    }

    private static double millis(String url) throws Exception {
        try (Locker locker = Locker.create("benchmark-loss", url);
                Connection administrator = DriverManager.getConnection(url);
                PreparedStatement terminate = administrator.prepareStatement(
                        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = ?"
                                + " and datname = current_database()")) {
            LockHandle lock = locker.exclusive(locker.key("lost")).acquire();
            CompletableFuture<Long> noticed = new CompletableFuture<>();
            lock.onLost(lost -> noticed.complete(System.nanoTime()));
            terminate.setString(1, locker.app());
            long ended = System.nanoTime();
            terminate.executeQuery().close();
            return (noticed.get(PATIENCE_SECONDS, TimeUnit.SECONDS) - ended) / NANOS_OF_A_MILLI;
        }
    }
}
