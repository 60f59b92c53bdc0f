package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Place;
import dev.pals.benchmarks.load.Load;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/** The worker processes, which stay for many turns, so that their code is compiled. */
public final class Crew implements AutoCloseable {
    private static final long TIME_TO_TELL_ALL = 50;

    private final Path jdk;
    private final List<String> jvmOptions;
    private final Counters counters;
    private final List<WorkerProcess> workers = new ArrayList<>();

    /** Whose processes run on a JDK, and count in the same counters. */
    public Crew(Path jdk, List<String> jvmOptions, Counters counters) {
        this.jdk = jdk;
        this.counters = counters;
        this.jvmOptions = List.copyOf(jvmOptions);
    }

    /** Opens the contender in the load's processes, and returns how long each took. */
    List<Long> open(Contestant contestant, Load load, Place place) throws Exception {
        counters.reset();
        List<Long> opened = new ArrayList<>();
        for (Answer answer :
                all(load.processes(), process -> new Command.Open(contestant, place, load, process, counters.file()))) {
            opened.add(((Answer.Opened) answer).nanos());
        }
        return opened;
    }

    /** Runs the load once, and fails where a lock has not excluded. */
    List<Answer.Ran> run(Load load, long warmMillis, long millis) throws Exception {
        // Else the one that is told last would have the lock for itself in the end.
        long start = System.currentTimeMillis() + (load.processes() > 1 ? TIME_TO_TELL_ALL : 0);
        List<Answer.Ran> ran = all(load.processes(), process -> new Command.Run(start, warmMillis, millis)).stream()
                .map(Answer.Ran.class::cast)
                .toList();
        try {
            counters.check(ran.stream().mapToLong(Answer.Ran::sections).sum());
        } catch (TurnFailedException e) {
            // Else the next contender would run on this one's locks.
            close();
            throw e;
        }
        return ran;
    }

    /** Has the first of them do the same at once, each its own command, and returns what they say. */
    List<Answer> all(int processes, IntFunction<Command> command) throws Exception {
        while (workers.size() < processes) {
            workers.add(WorkerProcess.start(jdk, jvmOptions));
        }
        try {
            List<Future<Answer>> asked = new ArrayList<>();
            for (int process = 0; process < processes; process++) {
                asked.add(workers.get(process).tell(command.apply(process)));
            }
            List<Answer> answers = new ArrayList<>();
            for (Future<Answer> each : asked) {
                answers.add(WorkerProcess.heard(each));
            }
            return answers;
        } catch (IOException | TurnFailedException e) {
            // What is open there would disturb the next turns.
            close();
            throw e;
        }
    }

    void closeContender(Load load) throws Exception {
        all(load.processes(), process -> new Command.Close());
    }

    /** Ends the processes in an orderly way. */
    public void end() throws IOException, InterruptedException {
        for (WorkerProcess worker : workers) {
            worker.end();
        }
    }

    @Override
    public void close() {
        workers.forEach(WorkerProcess::close);
        workers.clear();
    }
}
