package dev.pals.examples.transfers;

import static dev.pals.examples.jooq.transfers.Tables.ACCOUNT;
import static dev.pals.examples.jooq.transfers.Tables.APPLICATION;
import static dev.pals.examples.jooq.transfers.Tables.TRANSFER;
import static org.jooq.impl.DSL.notExists;
import static org.jooq.impl.DSL.selectOne;

import com.zaxxer.hikari.HikariDataSource;
import dev.pals.Locker;
import dev.pals.examples.ExampleDatabase;
import dev.pals.examples.Workforce;
import dev.pals.lock.LockHandle;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

/**
 * One worker process. It takes a chunk that nobody holds and applies the transfers in it that are still open, until
 * there are none. When a worker dies, PostgreSQL frees its chunk, and another one goes on with it.
 */
final class Worker {
    static final String NO_LOCKS = "--no-locks";

    private static final Condition STILL_OPEN =
            notExists(selectOne().from(APPLICATION).where(APPLICATION.TRANSFER_ID.eq(TRANSFER.ID)));

    private final int number;
    private final DSLContext dsl;
    private final Locks locks;

    private Worker(int number, DSLContext dsl, Locks locks) {
        this.number = number;
        this.dsl = dsl;
        this.locks = locks;
    }

    /** Arguments: the worker's number; optionally {@code --no-locks}. */
    public static void main(String[] args) {
        int number = Integer.parseInt(args[0]);
        String url = Workforce.url();
        try (HikariDataSource data = ExampleDatabase.pool(url, 1);
                Locker locker = Locker.create("transfers", url + "&ApplicationName=" + applicationName(number))) {
            Locks locks = List.of(args).contains(NO_LOCKS) ? new NoLocks() : new PalsLocks(locker);
            new Worker(number, DSL.using(data, SQLDialect.POSTGRES), locks).work();
        }
    }

    /** What the worker is called in the audit view. */
    static String applicationName(int number) {
        return "transfers-worker-" + number;
    }

    private void work() {
        for (List<Long> chunks = openChunks(); !chunks.isEmpty(); chunks = openChunks()) {
            // Each worker starts elsewhere.
            Collections.rotate(chunks, number * chunks.size() / 4);
            boolean worked = false;
            for (long chunk : chunks) {
                worked |= locks.tryWithChunk(chunk, () -> applyOpenTransfersOf(chunk));
            }
            if (!worked) {
                long chunk = chunks.get(0);
                locks.withChunk(chunk, () -> applyOpenTransfersOf(chunk));
            }
        }
    }

    private List<Long> openChunks() {
        return dsl.selectDistinct(TRANSFER.CHUNK)
                .from(TRANSFER)
                .where(STILL_OPEN)
                .orderBy(TRANSFER.CHUNK)
                .fetch(TRANSFER.CHUNK);
    }

    private void applyOpenTransfersOf(long chunk) {
        List<Transfer> open = dsl.select(TRANSFER.ID, TRANSFER.FROM_ACCOUNT, TRANSFER.TO_ACCOUNT, TRANSFER.AMOUNT)
                .from(TRANSFER)
                .where(TRANSFER.CHUNK.eq(chunk))
                .and(STILL_OPEN)
                .orderBy(TRANSFER.ID)
                .fetchInto(Transfer.class);
        for (Transfer transfer : open) {
            locks.withAccounts(transfer, () -> apply(transfer));
        }
    }

    /**
     * Read, compute, write: correct only while nobody else does the same to either account. The transaction is there
     * for crashes.
     */
    private void apply(Transfer transfer) {
        // In ascending order, so that the row locks of the negative control do not deadlock.
        Map<Long, Long> balances = new TreeMap<>(dsl.select(ACCOUNT.ID, ACCOUNT.BALANCE)
                .from(ACCOUNT)
                .where(ACCOUNT.ID.in(transfer.from(), transfer.to()))
                .fetchMap(ACCOUNT.ID, ACCOUNT.BALANCE));
        balances.merge(transfer.from(), -transfer.amount(), Long::sum);
        balances.merge(transfer.to(), transfer.amount(), Long::sum);
        dsl.transaction(trx -> {
            balances.forEach((account, balance) -> write(trx.dsl(), account, balance));
            trx.dsl()
                    .insertInto(APPLICATION, APPLICATION.TRANSFER_ID, APPLICATION.WORKER)
                    .values(transfer.id(), number)
                    .execute();
        });
    }

    private static void write(DSLContext dsl, long account, long balance) {
        dsl.update(ACCOUNT)
                .set(ACCOUNT.BALANCE, balance)
                .where(ACCOUNT.ID.eq(account))
                .execute();
    }

    /** How the work is guarded. */
    private interface Locks {
        /** Runs the work if nobody holds the chunk; returns whether it ran. */
        boolean tryWithChunk(long chunk, Runnable work);

        void withChunk(long chunk, Runnable work);

        void withAccounts(Transfer transfer, Runnable work);
    }

    private record PalsLocks(Locker locker) implements Locks {
        @Override
        public boolean tryWithChunk(long chunk, Runnable work) {
            Optional<LockHandle> lock =
                    locker.exclusive(TransferLockKeys.CHUNK.of(chunk)).tryAcquire();
            lock.ifPresent(held -> {
                try (held) {
                    work.run();
                }
            });
            return lock.isPresent();
        }

        @Override
        public void withChunk(long chunk, Runnable work) {
            locker.exclusive(TransferLockKeys.CHUNK.of(chunk)).run(work::run);
        }

        @Override
        public void withAccounts(Transfer transfer, Runnable work) {
            locker.exclusive(TransferLockKeys.ACCOUNT.of(transfer.from()), TransferLockKeys.ACCOUNT.of(transfer.to()))
                    .run(work::run);
        }
    }

    /** The negative control. */
    private static final class NoLocks implements Locks {
        @Override
        public boolean tryWithChunk(long chunk, Runnable work) {
            work.run();
            return true;
        }

        @Override
        public void withChunk(long chunk, Runnable work) {
            work.run();
        }

        @Override
        public void withAccounts(Transfer transfer, Runnable work) {
            work.run();
        }
    }
}
