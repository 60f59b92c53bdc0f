package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Locks;
import dev.pals.benchmarks.load.Load;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;

/** What one thread repeats: lock, do what the load says, unlock. It counts, and fails where a reader meets a writer. */
final class Cycle {
    private static final int READERS_OF_A_HUNDRED = 95;

    private final Load load;
    private final Locks locks;
    private final IntSupplier keys;
    private final Counters counters;
    /** Writers that have the one key of such a load, in this process. */
    private final AtomicInteger writers;

    private long enteredAt;
    private long sections;

    Cycle(Load load, Locks locks, IntSupplier keys, Counters counters, AtomicInteger writers) {
        this.load = load;
        this.locks = locks;
        this.keys = keys;
        this.counters = counters;
        this.writers = writers;
    }

    /** When the lock was had last. */
    long enteredAt() {
        return enteredAt;
    }

    /** How often the thread had a lock for itself. */
    long sections() {
        return sections;
    }

    void run() throws Exception {
        int key = keys.getAsInt();
        switch (load.act()) {
            case TRY -> {
                if (!locks.tryLocked(key, () -> alone(key))) {
                    throw new IllegalStateException("key " + key + " was not free, and nobody else uses it");
                }
            }
            case WAIT -> locks.locked(key, () -> alone(key));
            case READ_MOSTLY -> {
                if (ThreadLocalRandom.current().nextInt(100) < READERS_OF_A_HUNDRED) {
                    locks.reading(key, this::reading);
                } else {
                    locks.writing(key, () -> writing(key));
                }
            }
            case TRANSACTION ->
                locks.transaction(key, transaction -> {
                    alone(key);
                    update(transaction, key);
                });
        }
    }

    private void alone(int key) throws InterruptedException {
        enteredAt = System.nanoTime();
        long before = counters.count(key);
        hold();
        counters.set(key, before + 1);
        sections++;
    }

    private void writing(int key) throws InterruptedException {
        writers.incrementAndGet();
        alone(key);
        writers.decrementAndGet();
    }

    private void reading() throws InterruptedException {
        enteredAt = System.nanoTime();
        refuseWriters();
        hold();
        refuseWriters();
    }

    private void refuseWriters() {
        if (writers.get() != 0) {
            throw new IllegalStateException("a reader had the lock beside a writer");
        }
    }

    private void hold() throws InterruptedException {
        if (load.sectionMillis() > 0) {
            Thread.sleep(load.sectionMillis());
        }
    }

    private static void update(Connection connection, int row) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("update account set balance = balance + 1 where id = ?")) {
            update.setInt(1, row);
            update.executeUpdate();
        }
    }
}
