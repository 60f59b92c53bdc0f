package dev.pals.jooq;

import static dev.pals.db.jooq.pals.Tables.FENCE;
import static org.jooq.impl.DSL.excluded;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.function;
import static org.jooq.impl.DSL.max;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.row;

import dev.pals.internal.sql.SqlState;
import dev.pals.internal.transaction.CallerTransaction;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.StaleFencingTokenException;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.Row2;

/**
 * Keeps a holder that has lost its lock, and does not know it yet, from writing: each guarded write shows the fencing
 * token of its lock, and one that is older than the newest shown for this lock is refused.
 *
 * <pre>{@code
 * dsl.transaction(trx -> {
 *     FencingTokens.check(trx, lockHandle);
 *     trx.dsl().update(INVOICE)...
 * });
 * }</pre>
 *
 * <p>The newest token of each lock is in {@code pals.fence}, a row for each key that was ever checked. What the
 * application's role needs for it is in {@code docs/security.md}.
 *
 * <p>Stateless and thread-safe.
 */
public final class FencingTokens {
    private FencingTokens() {}

    /**
     * Shows the tokens of all locks of a handle; see {@link #check(Configuration, LockKey, long)}. One round trip for
     * each key.
     *
     * @throws IllegalStateException also if the locks came without tokens; see {@link LockHandle#fencingToken()}
     */
    public static void check(Configuration transaction, LockHandle handle) {
        handle.keys().forEach(key -> check(transaction, key, handle.fencingToken(key)));
    }

    /**
     * As {@link #check(Configuration, LockHandle)}.
     *
     * @param transaction the DSL of the transaction, not the one on which it was begun
     */
    public static void check(DSLContext transaction, LockHandle handle) {
        check(transaction.configuration(), handle);
    }

    /**
     * As {@link #check(Configuration, LockKey, long)}.
     *
     * @param transaction the DSL of the transaction, not the one on which it was begun
     */
    public static void check(DSLContext transaction, LockKey key, long token) {
        check(transaction.configuration(), key, token);
    }

    /**
     * Shows the token in the transaction that does the guarded write. Call it first: the row of the key stays locked
     * until the transaction ends, so that the guarded writes of one key come one after the other, and what is read
     * afterwards is what the one before has committed. Another check of the same key waits, for as long as
     * {@code lock_timeout} and {@code statement_timeout} allow.
     *
     * <p>A token that equals the newest passes, so that one holder can write more than once. The token of a transaction
     * or of a savepoint that is rolled back counts as never shown. A key with a {@linkplain LockKey#formerly() former}
     * name shows its token for both, so it must be one that was issued when both were held. Several keys are to be
     * checked in ascending order, or the checks can deadlock.
     *
     * <p>The exception rolls jOOQ's transaction back when it leaves the callback. Who catches it within the transaction
     * commits what a stale holder wrote.
     *
     * <p>It takes one round trip, and a second one where the configuration takes its connections from a pool or from a
     * framework, so that only PostgreSQL can tell whether there is a transaction. Of jOOQ's settings, those of the
     * statement's type and its time limit apply; execute listeners are called.
     *
     * @param transaction the configuration of the transaction, not the one on which it was begun
     * @param token the token that came with the lock; at least 1
     * @throws StaleFencingTokenException if a newer token was shown for the lock
     * @throws IllegalArgumentException if the token is less than 1
     * @throws IllegalStateException if there is no transaction, so that the check would protect nothing
     * @throws LockDatabaseException if schema {@code pals} is not installed or is older than this version of PALs, or
     *     if the role lacks a right to it
     * @throws org.jooq.exception.DataAccessException if PostgreSQL refuses for another reason: SQLSTATE 40001 where
     *     another check came in between and the transaction is REPEATABLE READ or SERIALIZABLE, so that it is to be
     *     repeated
     * @see <a href="https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT">ON CONFLICT DO UPDATE</a>
     */
    public static void check(Configuration transaction, LockKey key, long token) {
        Objects.requireNonNull(key, "key");
        if (token < 1) {
            throw new IllegalArgumentException("token is " + token + " for the lock on " + key
                    + ". Tokens are at least 1: pass the one that came with the lock.");
        }
        CallerTransaction.require(
                transaction, dsl -> show(dsl, key, token), (dsl, passed) -> hasWritten(dsl), () -> noTransaction(key));
    }

    private static int show(DSLContext dsl, LockKey key, long token) {
        // Ascending: two checks that lock the same rows in different orders would deadlock.
        List<Long> hashes = Stream.concat(Stream.of(key), key.formerly().stream())
                .map(LockKey::lockHash)
                .sorted()
                .toList();
        List<Row2<Long, Long>> shown =
                hashes.stream().map(hash -> row(hash, token)).toList();
        int passed;
        try {
            passed = dsl.insertInto(FENCE, FENCE.LOCK_HASH, FENCE.TOKEN)
                    .valuesOfRows(shown)
                    .onConflict(FENCE.LOCK_HASH)
                    .doUpdate()
                    .set(FENCE.TOKEN, excluded(FENCE.TOKEN))
                    .where(FENCE.TOKEN.le(excluded(FENCE.TOKEN)))
                    .returningResult(FENCE.TOKEN)
                    .fetch()
                    .size();
        } catch (RuntimeException e) {
            throw explained(key, e);
        }
        if (passed < hashes.size()) {
            long newest = dsl.select(max(FENCE.TOKEN))
                    .from(FENCE)
                    .where(FENCE.LOCK_HASH.in(hashes))
                    .fetchSingle()
                    .value1();
            throw new StaleFencingTokenException(key, token, newest);
        }
        return passed;
    }

    /** Whether the transaction goes on in which the token was shown: one that has written has an id. */
    private static boolean hasWritten(DSLContext dsl) {
        return dsl.select(field(function(name("pg_catalog", "pg_current_xact_id_if_assigned"), String.class)
                        .isNotNull()))
                .fetchSingle()
                .value1();
    }

    /** Any exception, since an execute listener may have put its own around PostgreSQL's. */
    private static RuntimeException explained(LockKey key, RuntimeException e) {
        if (SqlState.INSUFFICIENT_PRIVILEGE.isCauseOf(e)) {
            return unchecked(
                    key,
                    "this role may not use the table pals.fence: grant it usage on schema pals, and select, insert,"
                            + " update on pals.fence.",
                    e);
        }
        if (SqlState.UNDEFINED_TABLE.isCauseOf(e) || SqlState.INVALID_SCHEMA_NAME.isCauseOf(e)) {
            return unchecked(
                    key,
                    "the table pals.fence is missing: call PalsSchema.migrate(dataSource), or install V2__fencing.sql"
                            + " of pals-db.",
                    e);
        }
        return e;
    }

    private static LockDatabaseException unchecked(LockKey key, String why, RuntimeException e) {
        return new LockDatabaseException(
                "The fencing token of the lock on " + key + " could not be checked, since " + why, e);
    }

    private static IllegalStateException noTransaction(LockKey key) {
        return new IllegalStateException("The fencing token of the lock on " + key
                + " was checked outside of a transaction, which protects nothing. Check it within"
                + " dsl.transaction(trx -> ...), with the trx of the guarded write.");
    }
}
