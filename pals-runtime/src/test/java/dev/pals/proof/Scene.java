package dev.pals.proof;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Whom faults can hit: the workers, their sessions, the server. Thread-safe. */
final class Scene {
    private static final String LOCKS = """
            select l.pid, substr(a.application_name, 7), (l.classid::bigint << 32) | l.objid::bigint, l.granted
            from pg_locks l join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'advisory' and l.objsubid = 1 and a.application_name like 'proof-%'
            """;

    private static final String BLOCKED_ON_TOKENS = """
            select l.pid, substr(a.application_name, 7), a.query_start::text, a.query like '%lock_timeout%'
            from pg_locks l join pg_stat_activity a on a.pid = l.pid
            where l.relation = 'pals.fencing_token'::regclass and not l.granted and a.application_name like 'proof-%'
            """;

    private final ProofServer server;
    private final FaultyProxy way;
    private final Control control;
    private final List<WorkerProgram> workers;
    private final Workforce workforce;
    /** One fault of the whole server at a time. */
    private final ReentrantLock serverIsHit = new ReentrantLock();

    /** Where new workers come from. */
    interface Workforce {
        WorkerProgram inPlaceOf(WorkerProgram ended);
    }

    /** A session that holds a lock, or waits for one. */
    record LockRow(int pid, String worker, long key, boolean granted) {}

    /** A session whose statement, begun at that time, has no token yet; one that waits sets its lock_timeout itself. */
    record Stalled(int pid, String worker, String since, boolean waits) {}

    Scene(ProofServer server, FaultyProxy way, String url, List<WorkerProgram> workers, Workforce workforce) {
        this.server = server;
        this.way = way;
        this.control = new Control(url);
        this.workers = workers;
        this.workforce = workforce;
    }

    ProofServer server() {
        return server;
    }

    Control control() {
        return control;
    }

    ReentrantLock serverIsHit() {
        return serverIsHit;
    }

    List<LockRow> locks() {
        return control.rows(
                row -> new LockRow(row.getInt(1), row.getString(2), row.getLong(3), row.getBoolean(4)), LOCKS);
    }

    List<Stalled> blockedOnTokens() {
        return control.rows(
                row -> new Stalled(row.getInt(1), row.getString(2), row.getString(3), row.getBoolean(4)),
                BLOCKED_ON_TOKENS);
    }

    /** Which keys these workers hold; all keys that are held, if none is named. */
    Set<Long> keysOf(Collection<String> names) {
        return locks().stream()
                .filter(row -> row.granted() && (names.isEmpty() || names.contains(row.worker())))
                .map(LockRow::key)
                .collect(Collectors.toSet());
    }

    /** One of those that hold or wait for a lock, at random. */
    Optional<LockRow> anyLock(Random random, Predicate<LockRow> which) {
        List<LockRow> rows = new ArrayList<>(locks());
        Collections.shuffle(rows, random);
        return rows.stream().filter(which).findFirst();
    }

    /** A worker that no other fault hits at the moment, at random; it recovers when the caller says so. */
    Optional<WorkerProgram> anyWorker(Random random, Predicate<WorkerProgram> which) throws InterruptedException {
        List<WorkerProgram> shuffled;
        synchronized (workers) {
            shuffled = new ArrayList<>(workers);
        }
        Collections.shuffle(shuffled, random);
        for (WorkerProgram worker : shuffled) {
            if (which.test(worker) && worker.mayBeHit()) {
                return Optional.of(worker);
            }
        }
        return Optional.empty();
    }

    void replace(WorkerProgram ended) {
        // Not between the failover and the moment in which all are led to the new server.
        synchronized (workers) {
            WorkerProgram next = workforce.inPlaceOf(ended);
            workers.remove(ended);
            workers.add(next);
        }
    }

    void failOver() {
        server.failOver();
        way.leadTo(server.port());
        synchronized (workers) {
            workers.forEach(worker -> worker.network().leadTo(server.port()));
        }
    }
}
