package dev.pals.proof;

import dev.pals.key.LockKey;
import dev.pals.proof.History.Standing;
import dev.pals.proof.Violation.Rule;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Starts workers, strikes faults while they load, lets them rest, and has their history checked; again in each round.
 */
final class ProofRun implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LONGEST_MORE = Duration.ofMinutes(4);
    /** A cancelled request may have to free its lock yet. After a second without work, a locker frees everything. */
    private static final Duration SETTLED_WITHIN = Duration.ofMillis(500);

    private static final String LEFT_LOCKS = """
            select coalesce(substr(a.application_name, 7), '?') || ' ' || l.mode || ' '
                || ((l.classid::bigint << 32) | l.objid::bigint) || case when l.granted then '' else ' (waiting)' end
                || ' by process ' || l.pid,
                a.client_port
            from pg_locks l left join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'advisory'
            """;
    private static final String LEFT_SESSIONS =
            "select substr(application_name, 7) from pg_stat_activity where application_name like 'proof-%'";

    private final ProofServer server;
    private final ProofSettings settings;
    private final FaultyProxy way;
    private final String url;
    private final List<WorkerProgram> workers = new ArrayList<>();
    private final AtomicInteger started = new AtomicInteger();
    private final Random seeds;
    private final Scene scene;
    private final SessionWatch watch;
    private final HistoryReader reader;
    private final Control control;
    private final Adversary adversary;
    private final FaultTable table = new FaultTable();
    private final List<Violation> violations = new ArrayList<>();
    private @Nullable History violated;
    private final long start = System.nanoTime();
    private long sections;
    private long excusedSections;
    private long writes;
    private long excusedWrites;
    private long lossesDue;
    private long lossesUncalledFor;
    private long refused;
    private long losses;
    private long longestGap;

    ProofRun(ProofServer server, ProofSettings settings) {
        this.server = server;
        this.settings = settings;
        this.seeds = new Random(settings.seed());
        this.way = new FaultyProxy(server.port());
        this.url = "jdbc:postgresql://127.0.0.1:" + way.port() + "/postgres?user=postgres";
        Schema.reset(
                server.url(),
                Load.keys(settings.keys()).stream().map(LockKey::lockHash).toList());
        this.control = new Control(url);
        this.reader = new HistoryReader(control);
        this.watch = new SessionWatch(url);
        this.scene = new Scene(server, way, url, workers, this::inPlaceOf);
        this.adversary = new Adversary(scene, settings.faults(), settings.betweenFaults(), seeds.nextLong());
    }

    /**
     * Returns everything that must not have happened. Stops after a round in which something did, and else when the
     * time is over and every fault was struck, and a failover had the fence refuse somebody, or four minutes later.
     */
    List<Violation> run() throws Exception {
        return runUntil(any -> true);
    }

    /** The same, but goes on after violations of other rules, unless somebody is stuck. */
    List<Violation> runUntil(Predicate<Rule> found) throws Exception {
        Standing standing = reader.standing(Map.of(), List.of());
        settings.workers().forEach(profile -> workers.add(start(profile)));
        for (WorkerProgram worker : workers) {
            require(worker, worker.hear(Worker.READY, PATIENCE));
        }
        Predicate<Rule> last = found.or(rule -> rule == Rule.STUCK);
        for (int i = 0; violations.stream().map(Violation::rule).noneMatch(last) && !isDone(); i++) {
            if (i > 0) {
                everyone("go", Worker.READY);
            }
            standing = round(standing);
            System.out.println(progress());
        }
        return violations;
    }

    private boolean isDone() {
        long time = System.nanoTime() - start;
        long least = settings.duration().toNanos();
        boolean allSeen = table.struck().containsAll(settings.faults()) && (refused > 0 || !settings.failsOver());
        return time > least + LONGEST_MORE.toNanos() || (time > least && allSeen);
    }

    private WorkerProgram start(Profile profile) {
        String name = profile.name().toLowerCase(Locale.ROOT) + "-" + started.incrementAndGet();
        long seed;
        synchronized (seeds) {
            seed = seeds.nextLong();
        }
        Worker.Task task =
                new Worker.Task(name, profile, seed, settings.threads(), settings.keys(), settings.steps(), url);
        return WorkerProgram.start(task, settings.classPath(), server.port());
    }

    private WorkerProgram inPlaceOf(WorkerProgram ended) {
        return start(ended.profile());
    }

    /** Load and faults, then rest. */
    private Standing round(Standing before) throws Exception {
        if (settings.failsOver() && !server.hasStandby()) {
            server.makeStandby();
        }
        long end = System.nanoTime() + settings.round().toNanos();
        List<FaultRecord> faults = strikeUntil(end);
        List<Violation> atRest = rest();
        List<Event> events = reader.events();
        Standing after = reader.standing(before.tokens(), events);
        Looks looks = watch.take();
        History history = new History(events, looks, faults, before, after, atRest, settings.toldWithin());
        Verdict verdict = HistoryChecker.check(history);
        List<Violation> found = verdict.violations();
        found.stream().limit(5).forEach(System.out::println);
        violations.addAll(found);
        violated = found.isEmpty() ? violated : history;
        count(history, verdict);
        reader.forgetEvents();
        return after;
    }

    private void count(History history, Verdict verdict) {
        sections += verdict.sections();
        excusedSections += verdict.excusedSections();
        writes += verdict.writes();
        excusedWrites += verdict.excusedWrites();
        lossesDue += verdict.lossesDue();
        lossesUncalledFor += verdict.lossesUncalledFor();
        table.add(history);
        longestGap = Math.max(longestGap, history.looks().longestGap());
        for (Event event : history.events()) {
            switch (event.kind()) {
                case REFUSED -> refused++;
                case LOST -> losses++;
                default -> {}
            }
        }
    }

    private List<FaultRecord> strikeUntil(long end) throws Exception {
        List<Future<List<FaultRecord>>> struck = adversary.strikeUntil(end);
        List<FaultRecord> all = new ArrayList<>();
        if (settings.failsOver()) {
            sleepUntil(end - settings.round().toNanos() / 4);
            Fault.FAILED_OVER.strike(scene, new Random(0)).ifPresent(all::add);
        }
        sleepUntil(end);
        for (Future<List<FaultRecord>> hand : struck) {
            all.addAll(hand.get());
        }
        return all;
    }

    private static void sleepUntil(long nanoTime) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(Math.max(0, nanoTime - System.nanoTime()));
    }

    // ---- rest ----

    /** What is left when nobody is in a section, and when every locker is closed. */
    private List<Violation> rest() throws Exception {
        List<Violation> left = new ArrayList<>();
        everyone("rest", null);
        ExecutorService lookers = Executors.newFixedThreadPool(workers.size());
        try {
            List<Callable<List<Violation>>> looks = new ArrayList<>();
            workers.forEach(worker -> looks.add(() -> rest(worker)));
            for (Future<List<Violation>> look : lookers.invokeAll(looks)) {
                left.addAll(look.get());
            }
        } finally {
            lookers.shutdownNow();
        }
        if (left.stream().anyMatch(violation -> violation.rule() == Rule.STUCK)) {
            return left;
        }
        awaitNone(LEFT_LOCKS).forEach(lock -> left.add(new Violation(Rule.STRAY_LOCK, lock)));
        everyone("close", null);
        for (WorkerProgram worker : workers) {
            String closed = require(worker, worker.hear(Worker.CLOSED, PATIENCE));
            if (!closed.equals(Worker.CLOSED + " 0")) {
                left.add(new Violation(Rule.CONNECTION_LEAKED, worker.name() + " has not given back: " + closed));
            }
        }
        awaitNone(LEFT_SESSIONS).forEach(session -> left.add(new Violation(Rule.CONNECTION_LEAKED, session)));
        return left;
    }

    /** What it has left when it rests, while others may go on for seconds. */
    private List<Violation> rest(WorkerProgram worker) throws Exception {
        if (worker.hear(Worker.RESTING, PATIENCE) == null) {
            return List.of(new Violation(Rule.STUCK, worker.name() + " does not come to rest:\n" + worker.dump()));
        }
        List<String> strays = connectedLocks(worker);
        TimeUnit.MILLISECONDS.sleep(SETTLED_WITHIN.toMillis());
        strays.retainAll(connectedLocks(worker));
        return strays.stream().map(lock -> new Violation(Rule.STRAY_LOCK, lock)).toList();
    }

    /** What its sessions hold that are not about to end, as those are whose connection was cut. */
    private List<String> connectedLocks(WorkerProgram worker) {
        record Row(String lock, int port) {}
        List<Row> rows = control.rows(row -> new Row(row.getString(1), row.getInt(2)), LEFT_LOCKS + " and l.granted");
        Set<Integer> ports = worker.network().openPorts();
        return rows.stream()
                .filter(row -> ports.contains(row.port()))
                .map(Row::lock)
                .collect(Collectors.toCollection(ArrayList::new));
    }

    /** Looks until there is none, for a while; returns what is still there. */
    private List<String> awaitNone(String sql) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(8);
        List<String> left = control.rows(row -> row.getString(1), sql);
        while (!left.isEmpty() && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(20);
            left = control.rows(row -> row.getString(1), sql);
        }
        return left;
    }

    private void everyone(String order, @Nullable String answer) throws IOException, InterruptedException {
        for (WorkerProgram worker : workers) {
            worker.tell(order);
        }
        if (answer != null) {
            for (WorkerProgram worker : workers) {
                require(worker, worker.hear(answer, PATIENCE));
            }
        }
    }

    private static String require(WorkerProgram worker, @Nullable String answer) {
        return Objects.requireNonNull(answer, () -> worker.name() + " does not answer");
    }

    // ---- what is told ----

    FaultTable table() {
        return table;
    }

    /** The last one with a violation; null if there is none. */
    @Nullable
    History violated() {
        return violated;
    }

    /** How many sections there were. */
    long sections() {
        return sections;
    }

    /** Which share of the sections or of the writes, whichever is greater, was not judged. */
    double excusedShare() {
        return Math.max(excusedSections / (double) sections, excusedWrites / (double) writes);
    }

    /** How many sections had to be told of a loss. */
    long lossesDue() {
        return lossesDue;
    }

    /** How many sections ended where no loss could have been explained. */
    long lossesUncalledFor() {
        return lossesUncalledFor;
    }

    /** How many writes the fence has refused. */
    long refused() {
        return refused;
    }

    String progress() {
        long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start);
        return String.format(
                "proof %d:%02d: %d faults, %,d sections judged and %,d excused, %,d writes judged and %,d excused,"
                        + " %d refused by the fence, %d losses told, where %d had to be and in %,d sections none could be,"
                        + " %d violations"
                        + " (longest time between two looks at the sessions: %d ms)",
                seconds / 60,
                seconds % 60,
                table.count(),
                sections - excusedSections,
                excusedSections,
                writes - excusedWrites,
                excusedWrites,
                refused,
                losses,
                lossesDue,
                lossesUncalledFor,
                violations.size(),
                TimeUnit.MICROSECONDS.toMillis(longestGap));
    }

    @Override
    public void close() throws InterruptedException {
        adversary.close();
        for (WorkerProgram worker : workers) {
            worker.close();
        }
        watch.close();
        control.close();
        scene.control().close();
        way.close();
    }
}
