package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Another JVM with this one's class path. It is told what to do and says what becomes of it, a line each. */
public final class OtherProgram implements AutoCloseable {
    private static final String URL = "OTHER_PROGRAM_URL";
    private static final String ENDED = "(it has ended)";

    private final Process process;
    private final Writer input;
    private final BlockingQueue<String> said = new LinkedBlockingQueue<>();

    private OtherProgram(Process process) {
        this.process = process;
        this.input = process.outputWriter(StandardCharsets.UTF_8);
        Thread reader = new Thread(this::read, "reader of " + process.pid());
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts one; whoever does closes it, which ends it also where it is stopped. */
    static OtherProgram start(Class<?> main, String url, String... arguments) {
        return start(System.getProperty("java.class.path"), main, url, arguments);
    }

    /** The same with a class path of its own. */
    public static OtherProgram start(String classPath, Class<?> main, String url, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                "-cp",
                classPath,
                main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put(URL, url);
        try {
            return new OtherProgram(builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- what the other one calls ----

    /** The database that it was given. */
    public static String url() {
        return Objects.requireNonNull(System.getenv(URL), URL);
    }

    public static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    /** The next line that it is told; ends it when there is none any more, as when the test has ended. */
    public static String heard() {
        try {
            int next = System.in.read();
            StringBuilder line = new StringBuilder();
            for (; next >= 0 && next != '\n'; next = System.in.read()) {
                line.append((char) next);
            }
            if (next < 0) {
                Runtime.getRuntime().halt(1);
            }
            return line.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- what the test calls ----

    private void read() {
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                said.add(line);
            }
        } catch (IOException e) {
            said.add(e.toString());
        }
        said.add(ENDED);
    }

    /** What it says next. */
    String next() throws InterruptedException {
        String line = said.poll(TestDatabase.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        assertThat(line).as("what process %s says next", process.pid()).isNotNull();
        return Objects.requireNonNull(line);
    }

    /** What it says next, or null if that is nothing within this time. */
    public @Nullable String next(Duration patience) throws InterruptedException {
        return said.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** What it has said and nobody has asked for. */
    List<String> rest() {
        return List.copyOf(said);
    }

    public void tell(String line) throws IOException {
        input.write(line + "\n");
        input.flush();
    }

    /** Stops it where it is, as a debugger does or a machine that is suspended; when this returns, it runs no more. */
    public void stop() throws IOException, InterruptedException {
        signal("STOP");
        // On other systems than Linux, it may still run for a moment.
        Path state = Path.of("/proc", Long.toString(process.pid()), "stat");
        if (Files.exists(state)) {
            await().atMost(TestDatabase.PATIENCE)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> Files.readString(state).contains(") T "));
        }
    }

    public void goOn() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid()).start();
        assertThat(kill.waitFor()).as("exit code of kill").isZero();
    }

    /** Ends it as a crash would, by SIGKILL, so that it cannot release anything. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }
}
