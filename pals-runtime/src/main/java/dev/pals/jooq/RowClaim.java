package dev.pals.jooq;

import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.val;
import static org.jooq.impl.SQLDataType.BIGINT;

import dev.pals.internal.sql.TransactionLockSql;
import dev.pals.internal.transaction.CallerTransaction;
import dev.pals.key.LockFamily;
import dev.pals.lock.SnapshotBeforeLockException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.List;
import java.util.Objects;
import java.util.Set;
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
import org.jooq.conf.Settings;
import org.jooq.conf.SettingsTools;
import org.jooq.conf.ThrowExceptions;
import org.jspecify.annotations.Nullable;

/**
 * Rows that one transaction claims for itself, each by the advisory lock of its id; see {@link TransactionLocks#claim}.
 * Immutable, and as thread-safe as the transaction's configuration.
 *
 * @param <R> the type of the rows
 */
public final class RowClaim<R extends Record> {
    private static final int MOST_ATTEMPTS = 250;
    private static final long MOST_CANDIDATES = 100_000;
    private static final Candidates ALL = new Candidates(noCondition(), true);
    private static final Name CANDIDATES = name("pals_candidates");
    private static final Field<Long> ID = field(name("pals_candidates", "pals_id"), Long.class);

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

    /**
     * Returns this claim with an order, in place of any before: the first rows that are free are claimed, and come so.
     */
    public RowClaim<R> orderBy(OrderField<?>... fields) {
        return new RowClaim<>(transaction, family, id, condition, List.of(fields));
    }

    /**
     * Claims rows: those returned are locked until the transaction ends, exclusively, and no other row is. Rows whose
     * lock somebody else has are passed over without waiting. What is returned is how the rows are after their locks
     * were taken, so a row that another transaction has just changed and freed is not claimed where the condition no
     * longer holds for it. Fewer than the limit are returned where there are no more, and none where all are taken.
     *
     * <p>The candidates are selected and sorted in a subquery of their own, and their locks are tried one after the
     * other until the limit is reached, since PostgreSQL may call a function for rows that it does not return. An index
     * in the order of the claim keeps this from reading the whole table. A savepoint frees the locks of rows that turn
     * out to be done; then it is tried anew, which happens only when another transaction has committed in between. Five
     * round trips. When it throws, nothing is locked, and the transaction may go on.
     *
     * <p>The order is that of a queue with one worker. Where others are done with the first rows faster than these are
     * found, a later attempt claims rows further back, so that it gets on.
     *
     * <p>Rows that the transaction itself has claimed before are claimed again, where the condition still holds.
     *
     * @param limit how many rows to claim; at least 1
     * @throws IllegalArgumentException if the limit is less than 1
     * @throws SnapshotBeforeLockException if the transaction is REPEATABLE READ or SERIALIZABLE
     * @throws IllegalStateException if there is no transaction, if rows have the same id, or if the condition keeps
     *     changing
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
        Result<R> rows = dsl.connectionResult(connection -> onceTheyHold(connection, limit));
        return new Claimed<>(rows, standing.get(TransactionLockSql.TRANSACTION));
    }

    /**
     * Each failed attempt means that another transaction has committed: all of them together get on. So that this one
     * does, too, where it takes long to find candidates and others are done with the first of them meanwhile, more and
     * more are looked for, and the locks are tried in a statement that has only those to look at.
     */
    private Result<R> onceTheyHold(Connection connection, int limit) throws SQLException {
        // The caller's settings, which may map the table to another one; but no error is to look like an empty result.
        Settings settings = SettingsTools.clone(transaction.settings()).withThrowExceptions(ThrowExceptions.THROW_ALL);
        DSLContext dsl = transaction.derive(connection).derive(settings).dsl();
        for (int attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
            Candidates candidates = attempt == 1 ? ALL : some(dsl, limit, attempt);
            Result<R> rows = lockedOrNone(connection, dsl, candidates, limit);
            if (rows != null) {
                return attached(rows);
            }
        }
        throw new IllegalStateException("Rows were locked " + MOST_ATTEMPTS + " times by " + this
                + ", and each time the condition did not hold any longer for one of them. It must not depend on chance, or"
                + " on the locks themselves: " + condition
                + ". Or others are done with rows faster than these are found: an"
                + " index in the order of the claim helps.");
    }

    /**
     * Among which rows to claim.
     *
     * @param areAll whether no other row is open, so that none is free where none of these is
     */
    private record Candidates(Condition condition, boolean areAll) {}

    /**
     * The first rows that are open, locked or not; with every other attempt those behind them, which others reach
     * later.
     */
    private Candidates some(DSLContext dsl, int limit, int attempt) {
        long count = Math.min((long) limit << Math.min(attempt, 16), MOST_CANDIDATES);
        boolean further = attempt > 2 && attempt % 2 == 1;
        Set<Long> ids = dsl.select(id.cast(BIGINT).as(ID))
                .from(table())
                .where(condition)
                .orderBy(order)
                .limit(count)
                .offset(further ? count : 0)
                .fetchSet(ID.getUnqualifiedName(), Long.class);
        return new Candidates(isOneOf(ids), !further && ids.size() < count);
    }

    private Condition isOneOf(Set<Long> ids) {
        return id.coerce(BIGINT).eq(any(val(ids.toArray(Long[]::new))));
    }

    private Table<R> table() {
        return Objects.requireNonNull(id.getTable(), "table of the id");
    }

    /** To the transaction, as its own statements would do it, since the connection may be borrowed for the claim. */
    private Result<R> attached(Result<R> rows) {
        if (Boolean.TRUE.equals(transaction.settings().isAttachRecords())) {
            rows.attach(transaction);
        }
        return rows;
    }

    private @Nullable Result<R> lockedOrNone(Connection connection, DSLContext dsl, Candidates candidates, int limit)
            throws SQLException {
        Savepoint before = connection.setSavepoint();
        Result<R> rows;
        try {
            rows = lockedRows(dsl, candidates, limit);
        } catch (RuntimeException | Error e) {
            try {
                connection.rollback(before);
                connection.releaseSavepoint(before);
            } catch (SQLException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e;
        }
        if (rows == null) {
            connection.rollback(before);
        }
        connection.releaseSavepoint(before);
        return rows;
    }

    /** Null if one of them was changed between the statement that found it and its lock, or there may be more. */
    private @Nullable Result<R> lockedRows(DSLContext dsl, Candidates candidates, int limit) {
        Table<R> table = table();
        // "Offset 0" keeps PostgreSQL from merging the two, and lets it read no more candidates than are tried.
        Table<?> sorted = select(id.cast(BIGINT).as(ID))
                .from(table)
                .where(condition)
                .and(candidates.condition())
                .orderBy(order)
                .offset(inline(0))
                .asTable(CANDIDATES);
        Set<Long> locked = dsl.select(ID)
                .from(sorted)
                .where(AdvisoryLocks.tryTransactionLock(AdvisoryLocks.key(family, ID)))
                .limit(limit)
                .fetchSet(ID);
        if (locked.size() < limit && !candidates.areAll()) {
            return null;
        }
        if (locked.isEmpty()) {
            return dsl.newResult(table);
        }
        Result<R> rows = dsl.selectFrom(table)
                .where(condition)
                .and(isOneOf(locked))
                .orderBy(order)
                .fetch();
        int found = rows.intoSet(id).size();
        if (rows.size() > found) {
            throw new IllegalStateException("Rows of " + table + " have the same " + id.getName() + ", so that " + this
                    + " would claim more of them than it may. Claim by a unique column.");
        }
        return found == locked.size() ? rows : null;
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
