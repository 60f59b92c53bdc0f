package dev.pals.internal.transaction;

import dev.pals.internal.sql.TransactionLockSql;
import java.sql.Connection;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.conf.Settings;
import org.jooq.impl.DefaultConfiguration;
import org.jooq.impl.DefaultConnectionProvider;
import org.jspecify.annotations.Nullable;

/** The transaction that a caller's configuration is in, told from a connection that commits each statement. */
public final class CallerTransaction {
    private CallerTransaction() {}

    /**
     * Does the work in the transaction.
     *
     * @param stillThere whether the transaction goes on in which the work was done; asked only where a pool or a
     *     framework gives the connections, which could be others for each statement
     * @param refusal what is thrown if there is no transaction
     */
    public static <T extends @Nullable Object> T require(
            Configuration caller,
            Function<DSLContext, T> work,
            BiPredicate<DSLContext, T> stillThere,
            Supplier<? extends RuntimeException> refusal) {
        T result = caller.dsl().connectionResult(connection -> {
            if (connection.getAutoCommit()) {
                throw refusal.get();
            }
            return work.apply(on(connection, caller));
        });
        if (!isGiven(caller)) {
            caller.dsl().connection(connection -> {
                if (!stillThere.test(on(connection, caller), result)) {
                    throw refusal.get();
                }
            });
        }
        return result;
    }

    /** Whether the configuration is in a transaction already, so that one that it begins would be within another's. */
    public static boolean exists(Configuration caller) {
        if (caller.dsl().connectionResult(Connection::getAutoCommit)) {
            return false;
        }
        // A pool without autocommit ends the transaction when a connection is returned to it; a framework does not.
        return isGiven(caller) || identity(caller).equals(identity(caller));
    }

    private static String identity(Configuration caller) {
        return caller.dsl().connectionResult(connection -> identity(on(connection, caller)));
    }

    /**
     * Checks that PostgreSQL has not aborted the transaction, which a body may have hidden: its commit would roll back,
     * and say nothing. One round trip.
     *
     * @throws org.jooq.exception.DataAccessException with SQLSTATE 25P02 if it has
     */
    public static void requireNotAborted(Configuration caller) {
        var unused = identity(caller);
    }

    /** What no other transaction has. One round trip. */
    public static String identity(DSLContext dsl) {
        return dsl.fetchSingle(TransactionLockSql.IDENTITY).get(TransactionLockSql.TRANSACTION);
    }

    /** One connection, for all statements, rather than a source of them. */
    private static boolean isGiven(Configuration caller) {
        return caller.connectionProvider() instanceof DefaultConnectionProvider;
    }

    /** Own settings: the caller's could rename the tables, or turn an error into an empty result. */
    private static DSLContext on(Connection connection, Configuration caller) {
        return new DefaultConfiguration()
                .set(connection)
                .set(SQLDialect.POSTGRES)
                .set(new Settings()
                        .withStatementType(caller.settings().getStatementType())
                        .withQueryTimeout(caller.settings().getQueryTimeout())
                        .withExecuteLogging(caller.settings().isExecuteLogging()))
                .set(caller.executeListenerProviders())
                .dsl();
    }
}
