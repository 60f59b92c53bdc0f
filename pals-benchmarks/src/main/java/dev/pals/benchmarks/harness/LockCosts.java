package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Contestant.Ability;
import dev.pals.benchmarks.contender.Contestant.Role;
import dev.pals.benchmarks.load.Keys;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.report.Figure;
import dev.pals.benchmarks.report.Metric;
import dev.pals.benchmarks.report.Note;
import dev.pals.benchmarks.report.Results;
import java.io.PrintStream;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.IntFunction;

/** What locks cost that are held, or waited for: connections, and heap of the clients. */
public final class LockCosts {
    static final List<Integer> PROCESSES = List.of(1, 4);
    static final List<Integer> FEW_AND_MANY = List.of(10, 10_000);
    private static final List<Integer> HELD = List.of(10, 1_000, 10_000);
    /** Fewer would drown in what else is on the heap. */
    private static final int ENOUGH_TO_WEIGH = 200;

    private static final int ONE_BY_ONE = 1_000;
    private static final int WAITERS = 1_000;
    /** Of those that need a connection for each. */
    private static final int FEWER_WAITERS = 200;

    private final Arena arena;
    private final Crew crew;
    private final Results results;
    private final PrintStream out;

    public LockCosts(Arena arena, Crew crew, Results results, PrintStream out) {
        this.arena = arena;
        this.crew = crew;
        this.results = results;
        this.out = out;
    }

    /** Measures all of them once. */
    public void run(int round, Collection<Contestant> contestants) throws Exception {
        for (int processes : PROCESSES) {
            for (Contestant contestant : contestants) {
                for (int held : HELD) {
                    String refusal = refusal(contestant, held);
                    if (refusal.isEmpty()) {
                        held(contestant, processes, held, round);
                    } else if (round == 1) {
                        results.add(new Note(heldName(processes, held), contestant.id(), refusal, false));
                    }
                }
                if (contestant.can(Set.of(Ability.PROCESSES, Ability.WAIT))) {
                    waitedFor(contestant, processes, round);
                }
            }
        }
    }

    static String refusal(Contestant contestant, int held) {
        if (!contestant.can(Set.of(Ability.PROCESSES, Ability.HOLD))) {
            return "holds a lock for as long as it has a connection or a transaction: it would be raw JDBC";
        }
        return held > ONE_BY_ONE && contestant.writesRows() ? "takes too long: a commit each" : "";
    }

    /** Measures locks that are held, once. */
    public void held(Contestant contestant, int processes, int held, int round) throws Exception {
        measure(
                heldName(processes, held),
                contestant,
                processes,
                held,
                held,
                round,
                process -> new Command.Hold(process * held, share(held, processes, process)));
    }

    /** Measures threads that wait for one key, once. */
    public void waitedFor(Contestant contestant, int processes, int round) throws Exception {
        int waiters = contestant.connectionPerThread() ? FEWER_WAITERS : WAITERS;
        String name = String.format(Locale.ROOT, "%,d threads wait for one key%s", waiters, in(processes));
        // The process that has the lock goes first, so that it is the one that has it.
        measure(
                name,
                contestant,
                processes,
                0,
                waiters,
                round,
                process -> new Command.Wait(waiters / processes, process == 0));
    }

    static int share(int held, int processes, int process) {
        return held / processes + (process < held % processes ? 1 : 0);
    }

    static String heldName(int processes, int held) {
        return String.format(Locale.ROOT, "%,d locks held%s", held, in(processes));
    }

    private static String in(int processes) {
        return processes == 1 ? "" : " in " + processes + " JVMs";
    }

    private void measure(
            String name,
            Contestant contestant,
            int processes,
            int held,
            int count,
            int round,
            IntFunction<Command> command)
            throws Exception {
        Load none = new Load(name, name, processes, 0, Keys.OWN, Load.Act.TRY, 0, 0, false);
        if (!arena.refusal(contestant, none).isEmpty()) {
            return;
        }
        try {
            arena.clean();
            crew.open(contestant, none, arena.place(held));
            long before = weight(processes);
            if (command.apply(0) instanceof Command.Wait) {
                crew.all(1, command);
                crew.all(processes, process -> process == 0 ? new Command.Weigh() : command.apply(process));
            } else {
                crew.all(processes, command);
            }
            long connections = arena.observer().connections();
            long heap = weight(processes) - before;
            if (command.apply(0) instanceof Command.Wait) {
                crew.all(processes, process -> new Command.EndWait());
            }
            crew.closeContender(none);
            results.add(new Figure(name, contestant.id(), Metric.CONNECTIONS, round, (double) connections));
            String weight = "";
            // Raw JDBC has nothing for each lock that is held, and the difference would be noise.
            if (count >= ENOUGH_TO_WEIGH && (held == 0 || contestant.role() != Role.FLOOR)) {
                results.add(new Figure(name, contestant.id(), Metric.HEAP, round, (double) heap / count));
                weight = String.format(Locale.ROOT, ", %,8d bytes of heap each", heap / count);
            }
            out.printf(
                    Locale.ROOT,
                    "%2d    %-46s %-46s %,6d connections%s%n",
                    round,
                    name,
                    contestant.title(),
                    connections,
                    weight);
        } catch (TurnFailedException e) {
            out.println(e.getMessage());
            results.add(new Note(name, contestant.id(), e.summary(), true));
        }
    }

    private long weight(int processes) throws Exception {
        return crew.all(processes, process -> new Command.Weigh()).stream()
                .mapToLong(answer -> ((Answer.Weight) answer).bytes())
                .sum();
    }
}
