package dev.pals.examples.jobs;

import static dev.pals.db.jooq.pals.Tables.ADVISORY_LOCK;
import static dev.pals.examples.jobs.jooq.jobs.Tables.HISTORY;
import static dev.pals.examples.jobs.jooq.jobs.Tables.JOB;
import static org.jooq.impl.DSL.function;

import com.zaxxer.hikari.HikariDataSource;
import dev.pals.examples.ExampleDatabase;
import dev.pals.examples.Workforce;
import dev.pals.examples.jobs.jooq.jobs.tables.records.JobRecord;
import dev.pals.jooq.TransactionLocks;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.Result;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

/**
 * One process with four workers. Each claims a few jobs and does them in one transaction, until no job is left. When a
 * worker dies, its transaction ends, and its jobs are free again and not done.
 */
final class JobWorker {
    static final String NO_LOCKS = "--no-locks";
    static final int WORKERS = 4;

    private static final int BATCH = 10;

    private final String name;
    private final DSLContext dsl;
    private final boolean locks;

    private JobWorker(String name, DSLContext dsl, boolean locks) {
        this.name = name;
        this.dsl = dsl;
        this.locks = locks;
    }

    /** Arguments: the number of the process; optionally {@code --no-locks}. */
    public static void main(String[] args) throws Exception {
        boolean locks = !List.of(args).contains(NO_LOCKS);
        ExecutorService threads = Executors.newFixedThreadPool(WORKERS);
        try (HikariDataSource pool = ExampleDatabase.pool(Workforce.url(), WORKERS)) {
            DSLContext dsl = DSL.using(pool, SQLDialect.POSTGRES);
            List<Future<?>> workers = IntStream.rangeClosed(1, WORKERS)
                    .mapToObj(thread -> new JobWorker(args[0] + "." + thread, dsl, locks))
                    .<Future<?>>map(worker -> threads.submit(worker::workUntilAllIsDone))
                    .toList();
            for (Future<?> worker : workers) {
                worker.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private void workUntilAllIsDone() {
        while (dsl.fetchExists(JOB, JOB.DONE.isFalse())) {
            dsl.transaction(this::doSomeJobs);
        }
    }

    private void doSomeJobs(Configuration trx) {
        Result<JobRecord> mine = locks ? claim(trx) : firstOnes(trx);
        if (locks) {
            confirm(trx, mine);
        }
        for (JobRecord job : mine) {
            trx.dsl()
                    .insertInto(HISTORY, HISTORY.JOB_ID, HISTORY.WORKER)
                    .values(job.getId(), name)
                    .execute();
            job.setDone(true);
            job.update();
        }
    }

    /** The next jobs that nobody else has, locked until the transaction ends. */
    private static Result<JobRecord> claim(Configuration trx) {
        return TransactionLocks.in(trx)
                .claim(JobLockKeys.JOB, JOB.ID)
                .where(JOB.DONE.isFalse())
                .orderBy(JOB.ID)
                .fetch(BATCH);
    }

    /** The negative control. */
    private static Result<JobRecord> firstOnes(Configuration trx) {
        return trx.dsl()
                .selectFrom(JOB)
                .where(JOB.DONE.isFalse())
                .orderBy(JOB.ID)
                .limit(BATCH)
                .fetch();
    }

    /** Only an example would ask PostgreSQL whether what is locked is what was claimed. */
    private static void confirm(Configuration trx, Result<JobRecord> mine) {
        Set<Long> claimed = mine.stream()
                .map(job -> JobLockKeys.JOB.of(job.getId()).lockHash())
                .collect(Collectors.toSet());
        Set<Long> locked = trx.dsl()
                .select(ADVISORY_LOCK.LOCK_KEY)
                .from(ADVISORY_LOCK)
                .where(ADVISORY_LOCK.PID.eq(function("pg_backend_pid", Integer.class)))
                .fetchSet(ADVISORY_LOCK.LOCK_KEY);
        if (!locked.equals(claimed)) {
            throw new IllegalStateException("Claimed " + claimed + ", but locked are " + locked);
        }
    }
}
