package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Locks;
import dev.pals.benchmarks.load.Keys;
import dev.pals.benchmarks.load.Load;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;

/** What one thread repeats: lock, do what the load says, unlock. It fails where a lock does not exclude. */
final class Cycle {
    private static final int READERS_OF_A_HUNDRED = 95;

    private final Load load;
    private final Locks locks;
    private final IntSupplier keys;
    /** Who has the one key of the load, in this process. */
    private final AtomicInteger inside;

    private long enteredAt;

    Cycle(Load load, Locks locks, IntSupplier keys, AtomicInteger inside) {
        this.load = load;
        this.locks = locks;
        this.keys = keys;
        this.inside = inside;
    }

    /** When the lock was had last. */
    long enteredAt() {
        return enteredAt;
    }

    void run() throws Exception {
        int key = keys.getAsInt();
        switch (load.act()) {
            case TRY -> {
                if (!locks.tryLocked(key, this::alone)) {
                    throw new IllegalStateException("key " + key + " was not free, and nobody else uses it");
                }
            }
            case WAIT -> locks.locked(key, this::alone);
            case READ_MOSTLY -> {
                if (ThreadLocalRandom.current().nextInt(100) < READERS_OF_A_HUNDRED) {
                    locks.reading(key, this::together);
                } else {
                    locks.writing(key, this::alone);
                }
            }
            case TRANSACTION -> locks.transaction(key, transaction -> update(transaction, key));
        }
    }

    private void alone() throws InterruptedException {
        enteredAt = System.nanoTime();
        if (load.keys() != Keys.HOT) {
            hold();
            return;
        }
        if (!inside.compareAndSet(0, 1)) {
            throw new IllegalStateException("two threads had the lock");
        }
        hold();
        inside.set(0);
    }

    private void together() throws InterruptedException {
        enteredAt = System.nanoTime();
        if (inside.get() != 0) {
            throw new IllegalStateException("a reader had the lock beside a writer");
        }
        hold();
    }

    private void hold() throws InterruptedException {
        if (load.sectionMillis() > 0) {
            Thread.sleep(load.sectionMillis());
        }
    }

    private void update(Connection connection, int row) throws SQLException {
        enteredAt = System.nanoTime();
        try (PreparedStatement update =
                connection.prepareStatement("update account set balance = balance + 1 where id = ?")) {
            update.setInt(1, row);
            update.executeUpdate();
        }
    }
}
