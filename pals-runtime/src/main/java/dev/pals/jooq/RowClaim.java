package dev.pals.jooq;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.SQLDataType.BIGINT;

import dev.pals.internal.sql.TransactionLockSql;
import dev.pals.internal.transaction.CallerTransaction;
import dev.pals.key.LockFamily;
import dev.pals.lock.SnapshotBeforeLockException;
import java.sql.Savepoint;
import java.util.List;
import java.util.Objects;
import org.jooq.Condition;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Name;
import org.jooq.OrderField;
import org.jooq.Record;
import org.jooq.Result;
import org.jooq.Table;
import org.jooq.TableField;
import org.jspecify.annotations.Nullable;

/**
 * Rows that one transaction claims for itself, each by the advisory lock of its id; see {@link TransactionLocks#claim}.
 * Immutable, and as thread-safe as the transaction's configuration.
 *
 * @param <R> the type of the rows
 */
public final class RowClaim<R extends Record> {
    private static final Name CANDIDATES = name("pals_candidates");
    private static final Name CLAIMED = name("pals_claimed");
    private static final Field<Long> ID = field(name("id"), Long.class);

    private final Configuration transaction;
    private final LockFamily<? extends Number> family;
    private final TableField<R, ? extends Number> id;
    private final Condition condition;
    private final List<OrderField<?>> order;

    private RowClaim(
            Configuration transaction,
            LockFamily<? extends Number> family,
            TableField<R, ? extends Number> id,
            Condition condition,
            List<OrderField<?>> order) {
        this.transaction = transaction;
        this.family = family;
        this.id = id;
        this.condition = condition;
        this.order = order;
    }

    static <R extends Record> RowClaim<R> of(
            Configuration transaction, LockFamily<? extends Number> family, TableField<R, ? extends Number> id) {
        AdvisoryLocks.key(family, id);
        return new RowClaim<>(transaction, family, id, noCondition(), List.of());
    }

    /**
     * Returns this claim for those rows only for which the condition holds, besides the conditions it has.
     *
     * @param more what makes a row one that is to be claimed; the same for every evaluation in one transaction, so
     *     nothing with {@code random()}
     */
    public RowClaim<R> where(Condition more) {
        return new RowClaim<>(transaction, family, id, condition.and(more), order);
    }

    /** Returns this claim with an order: the first rows that are free are claimed, and come in this order. */
    public RowClaim<R> orderBy(OrderField<?>... fields) {
        return new RowClaim<>(transaction, family, id, condition, List.of(fields));
    }

    /**
     * Claims rows: those returned are locked until the transaction ends, exclusively, and no other row is. Rows whose
     * lock somebody else has are passed over without waiting. What is returned is how the rows are after their locks
     * were taken, so a row that another transaction has just changed and freed is not claimed where the condition no
     * longer holds for it. Fewer than the limit are returned where there are no more, and none where all are taken.
     *
     * <p>The candidates are selected first, and their locks are tried one after the other until the limit is reached,
     * in a materialized step, since PostgreSQL may call a function for rows that it does not return. An index in the
     * order of the claim keeps this from reading the whole table. A savepoint frees the locks of rows that turn out to
     * be done; then it is tried anew, which happens only when another transaction has committed in between. Five round
     * trips.
     *
     * @param limit how many rows to claim; at least 1
     * @throws IllegalArgumentException if the limit is less than 1
     * @throws SnapshotBeforeLockException if the transaction is REPEATABLE READ or SERIALIZABLE
     * @throws IllegalStateException if there is no transaction
     * @throws org.jooq.exception.DataAccessException if PostgreSQL fails; with SQLSTATE 22003 where an id is not
     *     between -{@link LockFamily#ID_LIMIT} and {@link LockFamily#ID_LIMIT}
     */
    public Result<R> fetch(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + ". Claim at least 1 row.");
        }
        return CallerTransaction.require(
                        transaction,
                        dsl -> claimed(dsl, limit),
                        (dsl, claimed) -> CallerTransaction.identity(dsl).equals(claimed.transaction()),
                        this::noTransaction)
                .rows();
    }

    private record Claimed<R extends Record>(Result<R> rows, String transaction) {}

    private Claimed<R> claimed(DSLContext dsl, int limit) {
        Record standing = dsl.fetchSingle(TransactionLockSql.IDENTITY);
        String isolation = standing.get(TransactionLockSql.ISOLATION);
        if (!TransactionLockSql.seesWhatWasCommitted(isolation)) {
            throw new SnapshotBeforeLockException(family, isolation);
        }
        return dsl.connectionResult(connection -> {
            // The caller's settings, which may map the table to another one, on the one connection of the savepoint.
            DSLContext caller = transaction.derive(connection).dsl();
            Result<R> rows = null;
            while (rows == null) {
                Savepoint before = connection.setSavepoint();
                rows = lockedRows(caller, limit);
                if (rows == null) {
                    connection.rollback(before);
                }
                connection.releaseSavepoint(before);
            }
            return new Claimed<>(rows, standing.get(TransactionLockSql.TRANSACTION));
        });
    }

    /** Null if one of them was changed between the statement that found it and its lock. */
    private @Nullable Result<R> lockedRows(DSLContext dsl, int limit) {
        Table<R> table = Objects.requireNonNull(id.getTable(), "table of the id");
        List<Long> ids = dsl.with(CANDIDATES
                        .fields(ID.getUnqualifiedName())
                        .asMaterialized(select(id.cast(BIGINT))
                                .from(table)
                                .where(condition)
                                .orderBy(order)))
                .with(CLAIMED.fields(ID.getUnqualifiedName())
                        .asMaterialized(select(ID)
                                .from(CANDIDATES)
                                .where(AdvisoryLocks.tryTransactionLock(AdvisoryLocks.key(family, ID)))
                                .limit(limit)))
                .select(ID)
                .from(CLAIMED)
                .fetch(ID);
        Result<R> rows = ids.isEmpty()
                ? dsl.newResult(table)
                : dsl.selectFrom(table)
                        .where(condition)
                        .and(id.cast(BIGINT).in(ids))
                        .orderBy(order)
                        .fetch();
        return rows.size() == ids.size() ? rows : null;
    }

    private IllegalStateException noTransaction() {
        return new IllegalStateException("Rows were to be claimed by locks on " + family
                + " outside of a transaction, where the locks would be gone with the statement. Claim them within"
                + " dsl.transaction(trx -> ...), with that trx.");
    }

    @Override
    public String toString() {
        return "claim of " + id + " by locks on " + family;
    }
}
