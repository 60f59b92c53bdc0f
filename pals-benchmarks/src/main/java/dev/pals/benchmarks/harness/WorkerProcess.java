package dev.pals.benchmarks.harness;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Another JVM with this one's class path, that does what it is told. */
final class WorkerProcess implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 180;

    private final Process process;
    private final ObjectOutputStream commands;
    private final ObjectInputStream answers;
    private final ExecutorService reader = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "reader of a worker");
        thread.setDaemon(true);
        return thread;
    });

    private WorkerProcess(Process process) throws IOException {
        this.process = process;
        this.commands = new ObjectOutputStream(process.getOutputStream());
        this.commands.flush();
        this.answers = new ObjectInputStream(process.getInputStream());
    }

    static WorkerProcess start(Path jdk, List<String> jvmOptions) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(jdk.resolve("bin/java").toString());
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Worker.class.getName()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            return new WorkerProcess(process);
        } catch (IOException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    /** Tells it what to do; the answer comes later. */
    Future<Answer> tell(Command command) throws IOException {
        commands.writeObject(command);
        commands.flush();
        commands.reset();
        return reader.submit(() -> (Answer) answers.readObject());
    }

    /** The answer, which is never that it failed. */
    static Answer heard(Future<Answer> answer) throws InterruptedException, TurnFailedException {
        try {
            Answer heard = answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (heard instanceof Answer.Failed failed) {
                throw new TurnFailedException(failed.trace());
            }
            return heard;
        } catch (ExecutionException e) {
            throw new TurnFailedException("a worker has ended: " + e.getCause());
        } catch (TimeoutException e) {
            throw new TurnFailedException("a worker has not answered for " + PATIENCE_SECONDS + " s");
        }
    }

    /** Ends it in an orderly way, as a recording of it needs. */
    void end() throws IOException, InterruptedException {
        commands.writeObject(null);
        commands.flush();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IOException("worker " + process.pid() + " does not end");
        }
    }

    /** Returns when it is gone, and with it its connections. */
    @Override
    public void close() {
        reader.shutdownNow();
        process.destroyForcibly().onExit().join();
    }
}
