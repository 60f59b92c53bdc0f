package dev.pals.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The workers know the database's password, and whoever lists processes does not. */
class WorkforceTest {
    private static final String SECRET = "correct-horse-battery-staple";
    private static final String URL = "jdbc:postgresql://localhost/app?user=app&password=" + SECRET;
    private static final Path PROCESSES = Path.of("/proc");

    @TempDir
    private Path directory;

    /** Writes down the URL that it was given, and is there until its file is deleted. */
    static final class Worker {
        private Worker() {}

        public static void main(String[] args) throws Exception {
            Path file = Path.of(args[1]);
            String url = Workforce.url();
            Path written = Files.writeString(file.resolveSibling("part"), url);
            Files.move(written, file);
            while (Files.exists(file)) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
        }
    }

    @Test
    void url_withAPassword_reachesTheWorkerAndNoProcessList() throws Exception {
        Path file = directory.resolve("url");
        try (Workforce workers = new Workforce(Worker.class, URL, 1, List.of(file.toString()))) {
            await(() -> Files.exists(file));
            assertThat(file).hasContent(URL);

            String shown = shown(workers.pid(1));
            assertThat(shown).contains(Worker.class.getName()).doesNotContain(SECRET);

            Files.delete(file);
            await(() -> !workers.anyAlive());
            assertThat(workers.succeeded()).isEqualTo(1);
        }
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.holds()) {
            assertThat(System.nanoTime() - end).as("nanoseconds too long").isNegative();
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    /** All that the system tells of a process: its command, and on Linux also its environment. */
    private static String shown(long pid) throws IOException {
        ProcessHandle.Info info = ProcessHandle.of(pid).orElseThrow().info();
        List<String> shown =
                new ArrayList<>(List.of(info.toString(), info.commandLine().orElse("")));
        shown.addAll(List.of(info.arguments().orElse(new String[0])));
        Path process = PROCESSES.resolve(Long.toString(pid));
        if (Files.exists(process)) {
            shown.add(Files.readString(process.resolve("cmdline")));
            String environment = Files.readString(process.resolve("environ"));
            assertThat(environment).contains("PATH=");
            shown.add(environment);
        }
        return String.join("\n", shown);
    }
}
