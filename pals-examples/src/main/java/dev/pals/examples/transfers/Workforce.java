package dev.pals.examples.transfers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The worker processes; the one at index 0 is worker 1. None outlives this JVM. */
final class Workforce implements AutoCloseable {
    private final List<Process> processes = new ArrayList<>();
    private final Thread atExit = new Thread(this::kill);

    Workforce(String url, int workers, boolean noLocks) throws IOException {
        Runtime.getRuntime().addShutdownHook(atExit);
        for (int number = 1; number <= workers; number++) {
            processes.add(start(url, number, noLocks));
        }
    }

    private static Process start(String url, int number, boolean noLocks) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Worker.class.getName(),
                Integer.toString(number)));
        if (noLocks) {
            command.add(Worker.NO_LOCKS);
        }
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put(Worker.URL_VARIABLE, url);
        return builder.start();
    }

    int size() {
        return processes.size();
    }

    long pid(int worker) {
        return processes.get(worker - 1).pid();
    }

    boolean anyAlive() {
        return processes.stream().anyMatch(Process::isAlive);
    }

    /** Ends a worker as a crash would: by SIGKILL, so that it cannot release anything. */
    void kill(int worker) throws InterruptedException {
        processes.get(worker - 1).destroyForcibly().waitFor();
    }

    /** How many workers have ended by themselves and without a failure. */
    int succeeded() {
        return (int) processes.stream()
                .filter(p -> !p.isAlive() && p.exitValue() == 0)
                .count();
    }

    private void kill() {
        processes.forEach(Process::destroyForcibly);
    }

    @Override
    public void close() {
        kill();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
            for (Process process : processes) {
                process.waitFor();
            }
        } catch (IllegalStateException e) {
            // The JVM is shutting down, and the hook has run or is running.
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
