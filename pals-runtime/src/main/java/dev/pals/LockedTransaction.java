package dev.pals;

import dev.pals.internal.transaction.CallerTransaction;
import dev.pals.internal.transaction.JoiningTransactionProvider;
import dev.pals.jooq.FencingTokens;
import dev.pals.jooq.TransactionLockRequest;
import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockMode;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.TransactionProvider;
import org.jooq.TransactionalCallable;
import org.jooq.impl.DefaultTransactionProvider;
import org.jooq.impl.NoTransactionProvider;
import org.jooq.impl.ThreadLocalTransactionProvider;
import org.jspecify.annotations.Nullable;

/**
 * Lock, begin, work, commit, unlock, in this order; or, within a transaction of somebody else's, a lock of that one.
 */
record LockedTransaction(
        LockRequest request, List<LockKey> keys, LockMode mode, Optional<Duration> limit, boolean fenced) {

    <T extends @Nullable Object> T result(DSLContext dsl, TransactionalCallable<T> body) {
        return CallerTransaction.exists(dsl.configuration()) ? joined(dsl.configuration(), body) : begun(dsl, body);
    }

    private <T extends @Nullable Object> T begun(DSLContext dsl, TransactionalCallable<T> body) {
        try (LockHandle lock = request.acquire()) {
            return dsl.transactionResult(trx -> {
                if (fenced) {
                    FencingTokens.check(trx, lock);
                }
                T result = body.run(trx);
                CallerTransaction.requireNotAborted(trx);
                confirm(lock);
                return result;
            });
        }
    }

    private static void confirm(LockHandle lock) {
        try {
            lock.confirm();
        } catch (LockLostException e) {
            throw e.beforeCommit();
        }
    }

    /**
     * A session-level lock would be free before the other commits, and who came next would not see the work: so the
     * lock is the transaction's.
     */
    private <T extends @Nullable Object> T joined(Configuration caller, TransactionalCallable<T> body) {
        if (fenced) {
            throw new IllegalStateException("A fenced transaction on " + keys
                    + " was to begin within another transaction, whose lock has no fencing token. Begin it outside.");
        }
        boolean jooqs = isJooqs(caller.transactionProvider());
        Configuration joining = jooqs ? caller.derive(new JoiningTransactionProvider()) : caller;
        return joining.dsl().transactionResult(trx -> {
            transactionLock(trx).acquire();
            return body.run(trx);
        });
    }

    /** Those know nothing of a transaction that this configuration has not begun, and would commit it. */
    private static boolean isJooqs(TransactionProvider provider) {
        return provider instanceof DefaultTransactionProvider
                || provider instanceof ThreadLocalTransactionProvider
                || provider instanceof NoTransactionProvider;
    }

    private TransactionLockRequest transactionLock(Configuration trx) {
        TransactionLocks locks = TransactionLocks.in(trx);
        TransactionLockRequest unlimited = mode == LockMode.SHARED ? locks.shared(keys) : locks.exclusive(keys);
        return limit.map(unlimited::waitAtMost).orElse(unlimited);
    }
}
