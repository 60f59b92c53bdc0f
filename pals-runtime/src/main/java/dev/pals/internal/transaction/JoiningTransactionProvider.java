package dev.pals.internal.transaction;

import java.sql.Savepoint;
import java.util.Objects;
import org.jooq.Transaction;
import org.jooq.TransactionContext;
import org.jooq.TransactionProvider;

/**
 * Transactions within one that somebody else has begun and will end: each is a savepoint. jOOQ's own provider would
 * commit the other's work with its outermost transaction. Stateless and thread-safe.
 */
public final class JoiningTransactionProvider implements TransactionProvider {

    /** Where to go back to. */
    private record Joined(Savepoint savepoint) implements Transaction {}

    @Override
    public void begin(TransactionContext context) {
        context.transaction(context.dsl().connectionResult(connection -> new Joined(connection.setSavepoint())));
    }

    @Override
    public void commit(TransactionContext context) {
        context.dsl().connection(connection -> connection.releaseSavepoint(savepoint(context)));
    }

    @Override
    public void rollback(TransactionContext context) {
        context.dsl().connection(connection -> {
            connection.rollback(savepoint(context));
            // It stands after a rollback to it, and would nest whatever follows.
            connection.releaseSavepoint(savepoint(context));
        });
    }

    private static Savepoint savepoint(TransactionContext context) {
        return ((Joined) Objects.requireNonNull(context.transaction())).savepoint();
    }
}
