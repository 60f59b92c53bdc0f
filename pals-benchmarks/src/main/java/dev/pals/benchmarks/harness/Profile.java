package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Load;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordingFile;

/** A flight recording of one contender under one load, and which frames are on top in it. */
public final class Profile {
    private static final int TOP = 25;
    private static final String ALLOCATION = "jdk.ObjectAllocationSample";

    private final Map<String, Double> running = new HashMap<>();
    private final Map<String, Double> runningOurs = new HashMap<>();
    private final Map<String, Double> inNative = new HashMap<>();
    private final Map<String, Double> allocating = new HashMap<>();
    private final Map<String, Double> allocatingOurs = new HashMap<>();
    private final Map<String, Double> allocated = new HashMap<>();

    private Profile() {}

    /** Records, keeps the recording in the directory, and returns its summary as Markdown. */
    public static String record(Arena arena, Load load, Contestant contestant, long millis, Path directory)
            throws Exception {
        Files.createDirectories(directory);
        Path file =
                directory.resolve(load.name() + "-" + contestant.id() + ".jfr").toAbsolutePath();
        Instant over;
        try (Crew crew = new Crew(
                Path.of(System.getProperty("java.home")),
                List.of(
                        "-XX:+UnlockDiagnosticVMOptions",
                        "-XX:+DebugNonSafepoints",
                        "-Xlog:jfr+startup=error",
                        "-XX:StartFlightRecording=settings=profile,jdk.ExecutionSample#period=1ms,dumponexit=true,filename="
                                + file),
                arena.counters())) {
            arena.clean();
            crew.open(contestant, load, arena.place(load.held()));
            crew.run(load, millis / 2, millis);
            over = Instant.now();
            crew.closeContender(load);
            crew.end();
        }
        Profile profile = new Profile();
        // What the start took is of no interest here.
        profile.read(file, over.minusMillis(millis), over);
        return profile.summary(load, contestant);
    }

    private void read(Path file, Instant from, Instant to) throws IOException {
        try (RecordingFile recording = new RecordingFile(file)) {
            while (recording.hasMoreEvents()) {
                RecordedEvent event = recording.readEvent();
                RecordedStackTrace stack = event.getStackTrace();
                Instant at = event.getStartTime();
                if (stack == null || stack.getFrames().isEmpty() || at.isBefore(from) || at.isAfter(to)) {
                    continue;
                }
                switch (event.getEventType().getName()) {
                    case "jdk.ExecutionSample" -> {
                        running.merge(top(stack), 1.0, Double::sum);
                        runningOurs.merge(topOfOurs(stack), 1.0, Double::sum);
                    }
                    case "jdk.NativeMethodSample" -> inNative.merge(top(stack), 1.0, Double::sum);
                    case ALLOCATION -> {
                        double weight = event.getLong("weight");
                        allocating.merge(top(stack), weight, Double::sum);
                        allocatingOurs.merge(topOfOurs(stack), weight, Double::sum);
                        allocated.merge(event.getClass("objectClass").getName(), weight, Double::sum);
                    }
                    default -> {
                        // Of no interest here.
                    }
                }
            }
        }
    }

    private static String top(RecordedStackTrace stack) {
        return name(stack.getFrames().get(0));
    }

    /** The topmost frame of the library itself, whatever it has called. */
    private static String topOfOurs(RecordedStackTrace stack) {
        return stack.getFrames().stream()
                .map(Profile::name)
                .filter(name -> name.startsWith("dev.pals.") && !name.startsWith("dev.pals.benchmarks."))
                .findFirst()
                .orElse("none of the library's");
    }

    private static String name(RecordedFrame frame) {
        RecordedMethod method = frame.getMethod();
        return method.getType().getName() + "." + method.getName();
    }

    private String summary(Load load, Contestant contestant) {
        return "## " + contestant.title() + ": " + load.title() + "\n"
                + table("Frames by samples of Java code", running)
                + table("The library's own topmost frames by samples of Java code", runningOurs)
                + table("Frames by samples of native code, waits for the network among them", inNative)
                + table("Frames by bytes allocated", allocating)
                + table("The library's own topmost frames by bytes allocated", allocatingOurs)
                + table("Classes by bytes allocated", allocated);
    }

    private static String table(String title, Map<String, Double> weights) {
        double all = weights.values().stream().mapToDouble(Double::doubleValue).sum();
        StringBuilder text =
                new StringBuilder(String.format(Locale.ROOT, "%n%s (%,.0f):%n%n| | %% |%n|---|---|%n", title, all));
        weights.entrySet().stream()
                .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
                .limit(TOP)
                .forEach(each -> text.append(
                        String.format(Locale.ROOT, "| `%s` | %.1f |%n", each.getKey(), 100 * each.getValue() / all)));
        return text.toString();
    }
}
