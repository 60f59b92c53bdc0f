package dev.pals.examples.transfers;

import static dev.pals.examples.jooq.transfers.Tables.APPLICATION;
import static dev.pals.examples.jooq.transfers.Tables.TRANSFER;
import static org.jooq.impl.DSL.count;

import dev.pals.examples.Workforce;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jooq.DSLContext;

/** Watches the workers from outside, through the database: progress, the audit view, and the death of one worker. */
final class Run {
    private static final long LOOK_MILLIS = 50;
    private static final long REPORT_MILLIS = 1000;
    private static final Duration FREED_WITHIN = Duration.ofSeconds(30);
    private static final String CHUNK = "chunk:";

    private final DSLContext dsl;
    private final Workforce workforce;
    private final int total;
    private final PrintStream out;
    private final AuditView audit;
    private Optional<Death> death = Optional.empty();

    Run(DSLContext dsl, Workforce workforce, int total, PrintStream out) {
        this.dsl = dsl;
        this.workforce = workforce;
        this.total = total;
        this.out = out;
        this.audit = new AuditView(dsl);
    }

    /** A worker that was killed in the middle of a chunk. */
    private record Death(long chunk) {}

    /** Returns when all workers have ended; false if one of them failed, or none was killed although one should. */
    boolean watch(boolean withKill) throws InterruptedException {
        out.printf("%d workers started%n", workforce.size());
        long nextReport = System.nanoTime();
        boolean shown = false;
        while (workforce.anyAlive()) {
            int applied = dsl.fetchCount(APPLICATION);
            if (System.nanoTime() - nextReport >= 0) {
                out.printf("%,7d of %,d transfers applied%n", applied, total);
                nextReport += Duration.ofMillis(REPORT_MILLIS).toNanos();
            }
            if (!shown && applied > total / 5) {
                out.println("The audit view pals.advisory_lock at this moment:\n" + audit.table());
                shown = true;
            }
            if (withKill && death.isEmpty() && applied > total / 3) {
                tryToKillOneInTheMiddle();
            }
            Thread.sleep(LOOK_MILLIS);
        }
        out.printf("%,7d of %,d transfers applied%n", dsl.fetchCount(APPLICATION), total);
        death.ifPresent(this::tellWhoTookOver);
        int expected = workforce.size() - (death.isPresent() ? 1 : 0);
        return workforce.succeeded() == expected && (!withKill || death.isPresent());
    }

    /** Kills the last worker if it holds a chunk that is not nearly done; otherwise the next look tries again. */
    private void tryToKillOneInTheMiddle() throws InterruptedException {
        int worker = workforce.size();
        String name = Worker.applicationName(worker);
        List<String> held = audit.namesOf(name);
        Optional<Long> chunk = held.stream()
                .filter(lock -> lock.startsWith(CHUNK))
                .map(lock -> Long.parseLong(lock.substring(CHUNK.length())))
                .findFirst();
        if (chunk.isEmpty() || openIn(chunk.get()) < sizeOf(chunk.get()) / 2) {
            return;
        }
        out.printf(
                "Worker %d (process %d) holds %s. It is killed with SIGKILL now.%n",
                worker, workforce.pid(worker), held);
        workforce.kill(worker);
        long killed = System.nanoTime();
        while (!audit.namesOf(name).isEmpty()) {
            if (System.nanoTime() - killed > FREED_WITHIN.toNanos()) {
                throw new IllegalStateException("Locks of the killed worker are still held: " + audit.namesOf(name));
            }
            Thread.sleep(1);
        }
        out.printf(
                "PostgreSQL freed its locks within %d ms; %s%d was left with %d of %d transfers open.%n",
                Duration.ofNanos(System.nanoTime() - killed).toMillis(),
                CHUNK,
                chunk.get(),
                openIn(chunk.get()),
                sizeOf(chunk.get()));
        death = Optional.of(new Death(chunk.get()));
    }

    private int sizeOf(long chunk) {
        return dsl.fetchCount(TRANSFER, TRANSFER.CHUNK.eq(chunk));
    }

    private int openIn(long chunk) {
        return sizeOf(chunk)
                - byWorker(chunk).values().stream().mapToInt(Integer::intValue).sum();
    }

    private Map<Integer, Integer> byWorker(long chunk) {
        return dsl.select(APPLICATION.WORKER, count())
                .from(APPLICATION)
                .join(TRANSFER)
                .on(TRANSFER.ID.eq(APPLICATION.TRANSFER_ID))
                .where(TRANSFER.CHUNK.eq(chunk))
                .groupBy(APPLICATION.WORKER)
                .orderBy(APPLICATION.WORKER)
                .fetchMap(APPLICATION.WORKER, count());
    }

    private void tellWhoTookOver(Death dead) {
        String shares = byWorker(dead.chunk()).entrySet().stream()
                .map(share -> share.getValue() + " by worker " + share.getKey())
                .collect(Collectors.joining(", "));
        out.printf("Its work was redone: the transfers of %s%d were applied %s.%n", CHUNK, dead.chunk(), shares);
    }
}
