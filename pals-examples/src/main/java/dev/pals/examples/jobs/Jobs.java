package dev.pals.examples.jobs;

import static dev.pals.db.jooq.pals.Tables.ADVISORY_LOCK;
import static dev.pals.examples.jobs.jooq.jobs.Tables.HISTORY;
import static dev.pals.examples.jobs.jooq.jobs.Tables.JOB;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.countDistinct;

import com.zaxxer.hikari.HikariDataSource;
import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.examples.ExampleDatabase;
import dev.pals.examples.Workforce;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command of the job queue. */
@Command(
        name = "jobs",
        mixinStandardHelpOptions = true,
        description = "Does the jobs in a table with eight workers in two processes, each job once.",
        exitCodeListHeading = "Exit status:%n",
        exitCodeList = {"0:each job was done once", "1:jobs were done twice or not at all, or a worker failed"})
public final class Jobs implements Callable<Integer> {
    private static final int PROCESSES = 2;
    private static final long LOOK_MILLIS = 500;

    private final PrintStream out;

    @Option(names = "--jobs", description = "How many jobs: 5,000 by default.")
    private int jobs = 5_000;

    @Option(names = JobWorker.NO_LOCKS, description = "The negative control: the workers claim nothing.")
    private boolean noLocks;

    Jobs(PrintStream out) {
        this.out = out;
    }

    /** Runs the example and exits with its status. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Jobs(System.out)).execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        try (PostgresServer server = PostgresServer.start();
                ScratchDatabase database = server.newDatabase();
                HikariDataSource pool = ExampleDatabase.pool(database.url(), 3)) {
            ExampleDatabase.migrate(pool, "jobs");
            DSLContext dsl = DSL.using(pool, SQLDialect.POSTGRES);
            dsl.insertInto(JOB, JOB.ID)
                    .valuesOfRows(
                            LongStream.rangeClosed(1, jobs).mapToObj(DSL::row).toList())
                    .execute();
            List<String> arguments = noLocks ? List.of(JobWorker.NO_LOCKS) : List.of();
            try (Workforce processes = new Workforce(JobWorker.class, database.url(), PROCESSES, arguments)) {
                out.printf("%d processes with %d workers each started%n", PROCESSES, JobWorker.WORKERS);
                while (processes.anyAlive()) {
                    report(dsl);
                    Thread.sleep(LOOK_MILLIS);
                }
                report(dsl);
                return judge(dsl, processes.succeeded() == PROCESSES);
            }
        }
    }

    private void report(DSLContext dsl) {
        out.printf("%,7d of %,d jobs done%n", dsl.fetchCount(JOB, JOB.DONE.isTrue()), jobs);
    }

    private int judge(DSLContext dsl, boolean orderly) {
        var done = dsl.select(count(), countDistinct(HISTORY.JOB_ID), countDistinct(HISTORY.WORKER))
                .from(HISTORY)
                .fetchSingle();
        int lost = jobs - done.value2();
        int again = done.value1() - done.value2();
        int locks = dsl.fetchCount(ADVISORY_LOCK);
        boolean correct = lost == 0 && again == 0 && locks == 0 && orderly;
        out.printf(
                "%s: %,d jobs by %d workers, %,d lost, %,d done again, %d locks left%s.%n",
                correct ? "CORRECT" : "WRONG",
                done.value2(),
                done.value3(),
                lost,
                again,
                locks,
                orderly ? "" : "; a worker failed");
        return correct ? 0 : 1;
    }
}
