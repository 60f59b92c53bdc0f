package dev.pals.examples;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The worker processes of an example; the one at index 0 is worker 1. None outlives this JVM. */
public final class Workforce implements AutoCloseable {
    private final List<Process> processes = new ArrayList<>();
    private final Thread atExit = new Thread(this::kill);

    /** Starts the workers; the arguments of each are its number and those given here. */
    public Workforce(Class<?> worker, String url, int workers, List<String> arguments) throws IOException {
        Runtime.getRuntime().addShutdownHook(atExit);
        for (int number = 1; number <= workers; number++) {
            processes.add(start(worker, url, number, arguments));
        }
    }

    private static Process start(Class<?> worker, String url, int number, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                worker.getName(),
                Integer.toString(number)));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        // Process lists show arguments, and some of them, like recordings of the JVM, the environment.
        try (Writer input = process.outputWriter(StandardCharsets.UTF_8)) {
            input.write(url + "\n");
        } catch (IOException e) {
            process.destroyForcibly();
            throw e;
        }
        return process;
    }

    /** In a worker: the database's URL. To be called once. */
    public static String url() {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try {
            return Objects.requireNonNull(input.readLine(), "no URL on the standard input");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How many were started. */
    public int size() {
        return processes.size();
    }

    /** The process id of a worker. */
    public long pid(int worker) {
        return processes.get(worker - 1).pid();
    }

    /** Whether one of them still works. */
    public boolean anyAlive() {
        return processes.stream().anyMatch(Process::isAlive);
    }

    /** Ends a worker as a crash would: by SIGKILL, so that it cannot release anything. */
    public void kill(int worker) throws InterruptedException {
        processes.get(worker - 1).destroyForcibly().waitFor();
    }

    /** How many workers have ended by themselves and without a failure. */
    public int succeeded() {
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
