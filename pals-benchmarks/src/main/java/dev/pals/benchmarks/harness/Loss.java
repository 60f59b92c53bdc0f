package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Place;
import dev.pals.benchmarks.load.Keys;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.report.Figure;
import dev.pals.benchmarks.report.Metric;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import java.io.IOException;
import java.io.PrintStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;

/**
 * How long it takes from the loss of connections until the last holder of a lock has been told, and we have heard of it
 * from all processes. Of the others, none tells.
 */
public final class Loss {
    private static final double NANOS_OF_A_MILLI = 1_000_000;
    private static final Contestant HOLDER = Contestant.PALS_2;

    private final Arena arena;
    private final Crew crew;
    private final Results results;
    private final PrintStream out;

    public Loss(Arena arena, Crew crew, Results results, PrintStream out) {
        this.arena = arena;
        this.crew = crew;
        this.results = results;
        this.out = out;
    }

    /** What happens to connections. */
    @FunctionalInterface
    interface Cause {
        void happen() throws SQLException;
    }

    @FunctionalInterface
    interface End {
        void of(Load load) throws Exception;
    }

    /** Of few locks and of many, in one JVM and in several: all their connections are ended by the server. */
    public void ended(int round) throws Exception {
        for (int processes : LockCosts.PROCESSES) {
            for (int held : LockCosts.FEW_AND_MANY) {
                measure(
                        "ended by the server",
                        arena.place(held),
                        processes,
                        held,
                        round,
                        this::endAll,
                        crew::closeContender);
            }
        }
    }

    /** Of the least and the most: the network drops whatever is sent. That takes longer, since nobody says so. */
    public void silent(int round) throws Exception {
        silent(LockCosts.PROCESSES.get(0), LockCosts.FEW_AND_MANY.get(0), round);
        silent(LockCosts.PROCESSES.get(1), LockCosts.FEW_AND_MANY.get(1), round);
    }

    private void silent(int processes, int held, int round) throws Exception {
        try (SilentNetwork network = new SilentNetwork(arena.url())) {
            Place behind = new Place(network.url(), null, held);
            // A contender that closes would wait for answers.
            measure("packets dropped", behind, processes, held, round, network::silence, load -> crew.close());
        }
    }

    private void endAll() throws SQLException {
        try (Connection connection = DriverManager.getConnection(arena.url());
                Statement statement = connection.createStatement()) {
            statement
                    .executeQuery("select pg_terminate_backend(pid) from (select distinct pid from pg_locks"
                            + " where locktype = 'advisory' and database ="
                            + " (select oid from pg_database where datname = current_database())) as holder")
                    .close();
        }
    }

    void measure(String what, Place place, int processes, int held, int round, Cause cause, End end) throws Exception {
        String name = what + ", " + LockCosts.heldName(processes, held);
        Load none = new Load(name, name, processes, 0, Keys.OWN, Load.Act.TRY, 0, 0, false);
        try {
            crew.open(HOLDER, none, place);
            crew.all(processes, process -> new Command.Hold(process * held, LockCosts.share(held, processes, process)));
            crew.all(processes, process -> new Command.Listen());
            long from = System.nanoTime();
            cause.happen();
            crew.all(processes, process -> new Command.AwaitLoss());
            double millis = (System.nanoTime() - from) / NANOS_OF_A_MILLI;
            end.of(none);
            results.add(new Figure(name, HOLDER.id(), Metric.NOTICED, round, millis));
            out.printf(Locale.ROOT, "%2d    %-46s %-46s %,8.0f ms%n", round, name, HOLDER.title(), millis);
        } catch (TurnFailedException | SQLException | IOException e) {
            e.printStackTrace(out);
            results.add(Note.failure(name, HOLDER, e));
            crew.close();
        }
    }
}
