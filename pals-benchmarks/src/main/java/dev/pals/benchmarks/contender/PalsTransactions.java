package dev.pals.benchmarks.contender;

import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockFamily;
import org.jooq.DSLContext;

/** This library's TransactionLocks: a jOOQ transaction for each cycle, begin and commit included. */
final class PalsTransactions implements Contender, Locks {
    private static final LockFamily<Integer> KEY = LockFamily.byInteger("benchmark", "key");

    private final Pool pool;
    private final DSLContext dsl;

    PalsTransactions(Place place) {
        pool = new Pool(place.url());
        dsl = PlainJooq.jooq(pool);
    }

    @Override
    public Locks locks() {
        return new SharedLocks(this);
    }

    @Override
    public boolean tryLocked(int key, Section section) {
        return dsl.transactionResult(trx -> {
            boolean taken = TransactionLocks.in(trx).exclusive(KEY.of(key)).tryAcquire();
            if (taken) {
                section.run();
            }
            return taken;
        });
    }

    @Override
    public void locked(int key, Section section) {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx).exclusive(KEY.of(key)).acquire();
            section.run();
        });
    }

    @Override
    public void reading(int key, Section section) {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx).shared(KEY.of(key)).acquire();
            section.run();
        });
    }

    @Override
    public void transaction(int key, Work work) {
        dsl.transaction(trx -> {
            TransactionLocks.in(trx).exclusive(KEY.of(key)).acquire();
            trx.dsl().connection(work::in);
        });
    }

    @Override
    public void close() {
        pool.close();
    }
}
