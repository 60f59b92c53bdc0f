package dev.pals.proof;

import dev.pals.OtherProgram;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A worker, and the network between it and PostgreSQL. */
final class WorkerProgram implements AutoCloseable {
    private final Worker.Task task;
    private final FaultyProxy network;
    private final OtherProgram program;
    private final AtomicBoolean isHit = new AtomicBoolean();
    private volatile boolean ready;

    private WorkerProgram(Worker.Task task, FaultyProxy network, OtherProgram program) {
        this.task = task;
        this.network = network;
        this.program = program;
    }

    static WorkerProgram start(Worker.Task task, String classPath, int port) {
        FaultyProxy network = new FaultyProxy(port);
        OtherProgram program = OtherProgram.start(
                classPath,
                Worker.class,
                "jdbc:postgresql://127.0.0.1:" + network.port() + "/postgres?user=postgres",
                task.arguments());
        return new WorkerProgram(task, network, program);
    }

    String name() {
        return task.name();
    }

    Profile profile() {
        return task.profile();
    }

    FaultyProxy network() {
        return network;
    }

    /** One fault at a time reaches it, once it is ready; whoever gets true calls {@link #recovers}. */
    boolean mayBeHit() throws InterruptedException {
        if (!isHit.compareAndSet(false, true)) {
            return false;
        }
        if (ready || hear(Worker.READY, Duration.ofMillis(1)) != null) {
            return true;
        }
        recovers();
        return false;
    }

    void recovers() {
        isHit.set(false);
    }

    void tell(String line) throws IOException {
        program.tell(line);
    }

    /** Waits until it says something that begins like this; null if it does not. */
    @Nullable
    String hear(String beginning, Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        for (long rest = patience.toNanos(); rest > 0; rest = end - System.nanoTime()) {
            String line = program.next(Duration.ofNanos(rest));
            ready |= Worker.READY.equals(line);
            if (line != null && line.startsWith(beginning)) {
                return line;
            }
        }
        return null;
    }

    /** Tells it to do something, and returns what it says of that. */
    String ask(String line, String beginning) throws IOException, InterruptedException {
        program.tell(line);
        return Objects.requireNonNull(hear(beginning, Duration.ofSeconds(60)), () -> name() + " does not answer");
    }

    /** What all of its threads do, if it is able to say so. */
    String dump() throws IOException, InterruptedException {
        program.tell("dump");
        List<String> lines = new ArrayList<>();
        for (String line = hear("|", Duration.ofSeconds(5)); line != null; line = hear("|", Duration.ofSeconds(1))) {
            lines.add(line);
        }
        return String.join("\n", lines);
    }

    void stop() throws IOException, InterruptedException {
        program.stop();
    }

    void goOn() throws IOException, InterruptedException {
        program.goOn();
    }

    void kill() throws InterruptedException {
        program.kill();
        network.close();
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }
}
