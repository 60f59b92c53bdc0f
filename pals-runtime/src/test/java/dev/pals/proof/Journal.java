package dev.pals.proof;

import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Notes what one thread of a worker does, in the guarded database, on a connection of its own that no fault of the
 * network reaches. Each note reads PostgreSQL's clock first and then looks which session holds the lock for this
 * worker.
 */
final class Journal implements AutoCloseable {
    /** PostgreSQL's clock; read before anything else in the statement. */
    private static final String NOW =
            "now as materialized (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as at)";

    /** Which sessions of a worker hold a key; a worker is known by its sessions' name. */
    private static final String HOLDER = """
            left join lateral (
                select string_agg(a.pid || '/' || (extract(epoch from a.backend_start) * 1000000)::bigint, ',') as session
                from pg_locks l join pg_stat_activity a on a.pid = l.pid
                where now.at > 0 and l.locktype = 'advisory' and l.objsubid = 1 and l.granted
                and ((l.classid::bigint << 32) | l.objid::bigint) = k.key
                and l.mode = ? and a.application_name = ?) holder on true
            """;

    private static final String NOTE = "with " + NOW + """
            insert into proof.event
            select now.at, ?, ?, ?, k.key, ?, holder.session, ?, k.token, 0, ?, ''
            from now cross join unnest(?::bigint[], ?::bigint[]) as k (key, token)
            """ + HOLDER;

    private static final String WRITE = "with " + NOW + """
            , k as (update proof.%s set n = ? where key = ? returning key, n)
            insert into proof.event
            select now.at, ?, ?, ?, k.key, ?, holder.session, 0, ?, k.n, ?, ''
            from now cross join k
            """ + HOLDER;

    private static final String PLAIN_NOTE =
            "insert into proof.event values (?, ?, ?, ?, 0, 'EXCLUSIVE', null, 0, 0, 0, '', ?)";

    private final String url;
    private final String worker;
    private final BlockingQueue<Told> told = new LinkedBlockingQueue<>();
    private @Nullable Connection connection;

    /** What can wait until PostgreSQL is there again. */
    private record Told(long at, Event.Kind kind, String section, String note) {}

    /** The harness failed, not the library: a connection that the proof needs. */
    static final class JournalException extends Exception {
        private static final long serialVersionUID = 1L;

        JournalException(Exception cause) {
            super(cause);
        }
    }

    Journal(String url, String worker) {
        this.url = url;
        this.worker = worker;
    }

    /** The name that a worker's lock sessions show. */
    static String sessionName(String worker) {
        return "proof-" + worker;
    }

    static long now() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }

    private Connection connection() throws SQLException {
        Connection open = connection;
        if (open == null || open.isClosed()) {
            open = DriverManager.getConnection(url);
            connection = open;
        }
        return open;
    }

    private interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    private synchronized <T> T call(Work<T> work) throws JournalException {
        try {
            return work.on(connection());
        } catch (SQLException e) {
            close();
            throw new JournalException(e);
        }
    }

    /** Notes it for all keys at once. */
    void note(
            Event.Kind kind,
            String section,
            LockMode mode,
            List<LockKey> keys,
            ToLongFunction<LockKey> token,
            long asked,
            String op)
            throws JournalException {
        call(open -> {
            try (PreparedStatement statement = open.prepareStatement(NOTE)) {
                statement.setString(1, kind.name());
                statement.setString(2, worker);
                statement.setString(3, section);
                statement.setString(4, mode.name());
                statement.setLong(5, asked);
                statement.setString(6, op);
                statement.setArray(
                        7,
                        open.createArrayOf(
                                "int8", keys.stream().map(LockKey::lockHash).toArray()));
                statement.setArray(
                        8,
                        open.createArrayOf(
                                "int8", keys.stream().map(token::applyAsLong).toArray()));
                holder(statement, 9, mode);
                return statement.executeUpdate();
            }
        });
    }

    private void holder(PreparedStatement statement, int from, LockMode mode) throws SQLException {
        statement.setString(from, mode == LockMode.EXCLUSIVE ? "ExclusiveLock" : "ShareLock");
        statement.setString(from + 1, sessionName(worker));
    }

    /** Reads the key's counter and writes it, in two statements and, unless this is a transaction, in two of those. */
    void count(Connection guarded, String table, String section, LockKey key, long token, String op)
            throws SQLException {
        long value;
        try (PreparedStatement read = guarded.prepareStatement("select n from proof." + table + " where key = ?")) {
            read.setLong(1, key.lockHash());
            try (ResultSet result = read.executeQuery()) {
                result.next();
                value = result.getLong(1);
            }
        }
        try (PreparedStatement write = guarded.prepareStatement(WRITE.formatted(table))) {
            write.setLong(1, value + 1);
            write.setLong(2, key.lockHash());
            write.setString(3, (table.equals("fenced") ? Event.Kind.WROTE_FENCED : Event.Kind.WROTE).name());
            write.setString(4, worker);
            write.setString(5, section);
            write.setString(6, LockMode.EXCLUSIVE.name());
            write.setLong(7, token);
            write.setString(8, op);
            holder(write, 9, LockMode.EXCLUSIVE);
            write.executeUpdate();
        }
    }

    /** Notes what happened now, as soon as PostgreSQL is there; on any thread. */
    void tell(Event.Kind kind, String section, String note) {
        told.add(new Told(now(), kind, section, note));
    }

    /** Writes what was told; what cannot be written is tried again. */
    void writeTold() throws InterruptedException {
        Told next = told.poll(100, TimeUnit.MILLISECONDS);
        while (next != null) {
            try {
                write(next);
                next = told.poll();
            } catch (JournalException e) {
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }
    }

    boolean hasUntold() {
        return !told.isEmpty();
    }

    private void write(Told event) throws JournalException {
        call(open -> {
            try (PreparedStatement statement = open.prepareStatement(PLAIN_NOTE)) {
                statement.setLong(1, event.at());
                statement.setString(2, event.kind().name());
                statement.setString(3, worker);
                statement.setString(4, event.section());
                statement.setString(5, event.note());
                return statement.executeUpdate();
            }
        });
    }

    @Override
    public synchronized void close() {
        Connection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException e) {
                // It is of no use any more, closed or not.
            }
        }
    }
}
