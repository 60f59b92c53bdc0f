package dev.pals.diagnostics;

import dev.pals.internal.sql.ProbeSql;
import dev.pals.lock.UnsafeServerException;
import dev.pals.lock.UnsafeServerException.Reason;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * Finds out whether locks exclude through the connections to a server, by trying it: a lock that one connection has
 * must be refused to another, and must be there when the first one frees it. A locker does so when it is opened.
 *
 * @see <a href="https://www.pgbouncer.org/features.html">PgBouncer's pooling modes</a>
 */
public final class ServerProbe {
    private static final int OLDEST = 14;
    /** Longer than the pieces that a wait in PostgreSQL's queue is made of. */
    private static final Duration WAIT = Duration.ofSeconds(15);

    private static final int LOOKS = 10;
    /** No process has this number. */
    static final int UNKNOWN = 0;

    private static final SecureRandom RANDOM = new SecureRandom();

    private final String who;

    /**
     * Makes one.
     *
     * @param who for whom it looks, at the beginning of every message
     */
    public ServerProbe(String who) {
        this.who = who;
    }

    /**
     * What was found where locks can be trusted to the server.
     *
     * @param exclusionTried whether there was a second connection to try it with
     * @param idleTimeout after which PostgreSQL ends an idle session; zero for never
     * @param transactionTimeout after which it ends a transaction; zero for never
     * @param statementTimeout after which it cancels a statement; zero for never
     * @param maxConnections how many sessions it may have
     * @param lockTableSize for how many locks of all its sessions it has room
     */
    public record Findings(
            boolean exclusionTried,
            Duration idleTimeout,
            Duration transactionTimeout,
            Duration statementTimeout,
            long maxConnections,
            long lockTableSize) {

        /** What may go wrong, in sentences that say what to do; empty where nothing was found. */
        public List<String> warnings() {
            List<String> warnings = new ArrayList<>();
            if (!exclusionTried) {
                warnings.add("there was no second connection to try whether locks exclude: give it at least 2");
            }
            if (!idleTimeout.isZero()) {
                warnings.add("idle_session_timeout is " + idleTimeout
                        + ", so PostgreSQL frees the locks of a program that hangs that long, as a lease of that length would."
                        + " Set it to 0 for this role, and use lease(...) where that is wanted");
            }
            warnAboutWaits(warnings, "transaction_timeout", transactionTimeout);
            warnAboutWaits(warnings, "statement_timeout", statementTimeout);
            return warnings;
        }

        /**
         * As {@link #warnings()}, with what may go wrong for a locker of this size.
         *
         * @param maxSessions how many connections it may use
         * @param lockBudget how many locks it may hold
         */
        public List<String> warnings(int maxSessions, long lockBudget) {
            List<String> warnings = new ArrayList<>(warnings());
            if (maxSessions > maxConnections) {
                warnings.add("maxSessions(" + maxSessions + ") is more than the " + maxConnections
                        + " sessions that the server may have (max_connections). Lower it, or enlarge that");
            }
            if (lockBudget > lockTableSize / 2) {
                warnings.add("lockBudget(" + lockBudget + ") is more than half of the " + lockTableSize
                        + " locks that the server has room for. Lower it, or enlarge max_locks_per_transaction");
            } else if (lockBudget < maxSessions) {
                warnings.add("the server has room for " + lockTableSize + " locks, of which this locker may hold "
                        + lockBudget + ", less than one for each of maxSessions(" + maxSessions
                        + "). Enlarge max_locks_per_transaction, or lower maxSessions(...)");
            }
            return warnings;
        }

        private static void warnAboutWaits(List<String> warnings, String setting, Duration timeout) {
            if (!timeout.isZero() && timeout.compareTo(WAIT) < 0) {
                warnings.add(setting + " is " + timeout
                        + ", which cuts waits in PostgreSQL's queue short. Set it to 0, or to" + " more than " + WAIT
                        + ", for this role");
            }
        }
    }

    /**
     * Looks at the server, and leaves no lock behind. Three round trips; some 40 more where a pooler stands between,
     * which shows only now and then whether it gives each statement to another session.
     *
     * @param first a connection in autocommit
     * @param second another one, at the same time; null where there is none, so that exclusion cannot be tried
     * @throws UnsafeServerException if locks would not exclude
     * @throws SQLException if the server does not answer
     */
    public Findings probe(Connection first, @Nullable Connection second) throws SQLException {
        int version = first.getMetaData().getDatabaseMajorVersion();
        if (version < OLDEST) {
            throw unsafe(
                    Reason.TOO_OLD,
                    "the server is PostgreSQL " + version + ", and its view of locks does not tell since when one"
                            + " waits, nor does it notice that a waiting client has vanished. Use PostgreSQL " + OLDEST
                            + " or newer");
        }
        // Nobody else has a key like this one, and two probes at a time have different ones.
        long key = RANDOM.nextLong();
        Record server = ask(first, ProbeSql.LOOK_AND_TRY, knownProcess(first), key);
        if (server.get(ProbeSql.STANDBY)) {
            freeIfTaken(first, server, key);
            throw unsafe(
                    Reason.STANDBY,
                    "the server is a standby (pg_is_in_recovery() is true), and its locks exclude nobody on the"
                            + " primary. Connect to the primary, for instance with targetServerType=primary in the URL");
        }
        Record taken = server;
        if (server.get(ProbeSql.DONE) == null) {
            checkPooler(first, second, pid(server));
            taken = ask(first, ProbeSql.TRY, key);
        }
        @Nullable Record other = second == null ? null : ask(second, ProbeSql.TRY, key);
        Record freed = ask(first, ProbeSql.FREE, key);
        if (other != null && second != null && isDone(other)) {
            // It stays on the session otherwise, for whoever comes next.
            ask(second, ProbeSql.FREE, key);
        }
        checkSessions(taken, other, freed);
        return new Findings(
                other != null,
                Duration.ofMillis(server.get(ProbeSql.IDLE_TIMEOUT)),
                millisOrNone(server.get(ProbeSql.TRANSACTION_TIMEOUT)),
                Duration.ofMillis(server.get(ProbeSql.STATEMENT_TIMEOUT)),
                server.get(ProbeSql.MAX_CONNECTIONS),
                server.get(ProbeSql.LOCK_TABLE_SIZE));
    }

    /** What the driver was told when it connected: another number where a pooler stands between. */
    static int knownProcess(Connection connection) throws SQLException {
        return connection.isWrapperFor(PGConnection.class)
                ? connection.unwrap(PGConnection.class).getBackendPID()
                : UNKNOWN;
    }

    private static void freeIfTaken(Connection connection, Record taken, long key) throws SQLException {
        if (Boolean.TRUE.equals(taken.get(ProbeSql.DONE))) {
            ask(connection, ProbeSql.FREE, key);
        }
    }

    /**
     * In session mode each of the two connections has the same session at every look, and never the other's. Otherwise
     * they change hands: with two looks in a row it shows where sessions take turns, with two connections in turns
     * where the last one is used again, and with many looks where other clients come in between.
     */
    private void checkPooler(Connection first, @Nullable Connection second, int pid) throws SQLException {
        Integer secondPid = null;
        for (int i = 0; i < LOOKS; i++) {
            int seen = pid(ask(first, ProbeSql.LOOK));
            if (seen != pid || pid(ask(first, ProbeSql.LOOK)) != pid) {
                throw sharedSessions(pid + ", " + seen);
            }
            if (second != null) {
                int own = pid(ask(second, ProbeSql.LOOK));
                if (own == pid || (secondPid != null && own != secondPid) || pid(ask(second, ProbeSql.LOOK)) != own) {
                    throw sharedSessions(pid + ", " + own);
                }
                secondPid = own;
            }
        }
    }

    private UnsafeServerException sharedSessions(String seen) {
        return unsafe(
                Reason.SHARED_SESSIONS,
                "statements of one connection reach different sessions of PostgreSQL, or those of two"
                        + " connections the same (seen: processes " + seen
                        + "), as through a pooler in transaction or statement mode. Locks would be left to strangers, and granted"
                        + " to two at a time. Connect past the pooler, or through a pool of it in session mode");
    }

    private void checkSessions(Record taken, @Nullable Record other, Record freed) {
        boolean sameSession = other != null && pid(other) == pid(taken);
        if (sameSession || pid(freed) != pid(taken)) {
            throw sharedSessions(pid(taken) + ", " + (other == null ? "" : pid(other) + ", ") + pid(freed));
        }
        if (!isDone(taken) || (other != null && isDone(other)) || !isDone(freed)) {
            throw unsafe(
                    Reason.NO_EXCLUSION,
                    "locks do not exclude: of a lock that nobody had, the first connection was told that it "
                            + (isDone(taken) ? "had it" : "could not have it")
                            + ", a second one at the same time that it "
                            + (other != null && isDone(other) ? "had it too" : "could not have it")
                            + ", and its release "
                            + (isDone(freed) ? "succeeded" : "failed")
                            + ". The server or a proxy does not do what PostgreSQL does");
        }
    }

    private UnsafeServerException unsafe(Reason reason, String finding) {
        return new UnsafeServerException(reason, who + ": " + finding + ".");
    }

    private static boolean isDone(Record answer) {
        return answer.get(ProbeSql.DONE);
    }

    private static int pid(Record answer) {
        return answer.get(ProbeSql.PID);
    }

    private static Duration millisOrNone(@Nullable Integer millis) {
        return millis == null ? Duration.ZERO : Duration.ofMillis(millis);
    }

    private static Record ask(Connection connection, String sql, Object... parameters) {
        DSLContext dsl = DSL.using(connection, SQLDialect.POSTGRES);
        return dsl.fetchSingle(sql, parameters);
    }
}
