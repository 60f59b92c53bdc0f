package dev.pals.db.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A shell process that outlives this JVM just long enough to stop a PostgreSQL and delete its directory.
 *
 * <p>It waits for the end of its standard input. That comes when {@link #close()} closes the pipe, and as well when
 * this JVM ends in whatever way: by an interrupt of the build, a crash or SIGKILL, where no shutdown hook runs. So
 * there is one way to clean up, and every run uses it. It ignores the signals that a terminal sends to the whole
 * process group.
 */
final class Reaper implements AutoCloseable {
    /** The data directory's name below the watched directory. */
    static final String DATA = "data";

    private static final int PATIENCE_SECONDS = 30;

    /**
     * Several rounds, since the JVM may have died between {@code initdb} and the moment when the server writes its pid.
     * SIGQUIT is PostgreSQL's immediate shutdown: the data is about to be deleted.
     */
    private static final String SCRIPT = """
            trap '' HUP INT TERM
            mkdir -m 700 "$1" && echo made
            cat >/dev/null
            rounds=0
            while [ $rounds -lt 3 ]; do
              pid=$(head -n 1 "$1/%s/postmaster.pid" 2>/dev/null)
              if [ -n "$pid" ]; then
                kill -QUIT "$pid" 2>/dev/null
                tries=0
                while [ -e "$1/%s/postmaster.pid" ] && [ $tries -lt 150 ] && kill -0 "$pid" 2>/dev/null; do
                  tries=$((tries + 1))
                  [ $tries -eq 100 ] && kill -KILL "$pid"
                  sleep 0.1
                done
                rounds=3
              fi
              rm -rf "$1"
              rounds=$((rounds + 1))
              [ $rounds -lt 3 ] && sleep 0.3
            done
            rm -rf "$1"
            """.formatted(DATA, DATA);

    private final Process process;

    private Reaper(Process process) {
        this.process = process;
    }

    /**
     * Makes a directory that is deleted with the server in it. The shell makes it, so that there is no moment in which
     * it is there and nobody would delete it.
     */
    static Reaper makeDirectory(Path directory) throws IOException {
        Process process = new ProcessBuilder("sh", "-c", SCRIPT, "pals-postgres-reaper", directory.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            if (!"made".equals(output.readLine())) {
                throw new IOException("the directory " + directory + " could not be made");
            }
        }
        return new Reaper(process);
    }

    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new PostgresUnavailableException(
                        "PostgreSQL is still being stopped after " + PATIENCE_SECONDS + " s, by process "
                                + process.pid() + ".",
                        null);
            }
        } catch (IOException e) {
            throw new PostgresUnavailableException("The process that stops PostgreSQL has died: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            // It finishes by itself.
            Thread.currentThread().interrupt();
        }
    }
}
