package dev.pals.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.codegen.Javac.Message;
import dev.pals.codegen.Javac.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.Diagnostic.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compiles each example in {@code bad/}, a file or a folder, and compares what the compiler says with the comments
 * {@code // [PalsId] text} at the lines where it should say it. A message without a place is expected by a line
 * {@code // nowhere: [PalsId] text}. A folder {@code lib} in an example is another module, compiled first;
 * {@code options} has more options, where {@code DIR} is the example's folder.
 */
final class BadExamplesTest {
    private static final Path BAD = Path.of("src", "test", "resources", "bad");
    private static final Pattern EXPECTATION = Pattern.compile("// (nowhere: )?(\\[Pals.*)");

    @TempDir
    Path temp;

    static List<Path> examples() throws IOException {
        try (Stream<Path> examples = Files.list(BAD)) {
            return examples.sorted().toList();
        }
    }

    private record Expected(String file, long line, String text) {
        boolean isMetBy(Message message) {
            return file.equals(message.file())
                    && line == message.line()
                    && message.text().startsWith(text);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("examples")
    void example_messages_areThoseOfItsComments(Path example) throws IOException {
        Javac javac = Javac.in(temp.resolve("module")).with(options(example));
        if (Files.isDirectory(example.resolve("lib"))) {
            Path library = temp.resolve("library");
            Javac.in(library).compile(javaFiles(example.resolve("lib"))).orFail();
            javac.dependingOn(library);
        }
        List<Path> files = Files.isDirectory(example)
                ? javaFiles(example).stream()
                        .filter(file -> !file.startsWith(example.resolve("lib")))
                        .toList()
                : List.of(example);
        List<Expected> expected =
                files.stream().flatMap(BadExamplesTest::expectations).toList();

        Result result = javac.compile(files);

        // The compiler may warn of what it sees itself.
        List<Message> messages = result.messages().stream()
                .filter(message ->
                        message.kind() == Kind.ERROR || message.text().startsWith("[Pals"))
                .toList();
        List<Message> unexpected = messages.stream()
                .filter(message -> expected.stream().noneMatch(e -> e.isMetBy(message)))
                .toList();
        assertThat(expected).isNotEmpty();
        assertThat(unexpected).as("messages without a comment").isEmpty();
        assertThat(expected)
                .as("comments without a message")
                .allMatch(e -> messages.stream().anyMatch(e::isMetBy));
        assertThat(messages).hasSameSizeAs(expected);
    }

    @Test
    void diagnostics_ids_haveAnExampleEach() {
        List<String> shown = Javac.filesIn(BAD).stream()
                .flatMap(BadExamplesTest::expectations)
                .map(expected -> expected.text().replaceFirst("^\\[(\\w+)].*$", "$1"))
                .toList();

        assertThat(new TreeSet<>(shown))
                .containsExactlyInAnyOrderElementsOf(
                        Arrays.stream(Diagnostic.values()).map(Diagnostic::id).toList());
    }

    @Test
    void valuesInError_areWhatTheMessageStandsAt() {
        Result result = Javac.in(temp).compile("E.java", """
                import dev.pals.key.*;
                @LockApp("a:b") enum A { @LockName("x") X }
                @LockApp("b") enum B {
                    @LockName(formerly = "c:d", value = "x") X,
                    @LockName(by = Short.class, value = "y") Y,
                    @LockName(value = "z", formerly = "z") Z
                }
                """);

        assertThat(result.messages())
                .extracting(Message::at)
                .containsExactly("\"a:b\"", "\"c:d\"", "Short.class", "\"z\"");
    }

    private static String[] options(Path example) throws IOException {
        Path options = example.resolve("options");
        return Files.exists(options)
                ? Files.readString(options)
                        .replace("DIR", example.toString())
                        .strip()
                        .split("\\s+")
                : new String[0];
    }

    private static List<Path> javaFiles(Path folder) {
        return Javac.filesIn(folder).stream()
                .filter(file -> file.toString().endsWith(".java"))
                .toList();
    }

    private static Stream<Expected> expectations(Path file) {
        String name = Objects.requireNonNull(file.getFileName()).toString();
        if (!name.endsWith(".java")) {
            return Stream.of();
        }
        try {
            List<String> lines = Files.readAllLines(file);
            return Stream.iterate(0, i -> i < lines.size(), i -> i + 1)
                    .flatMap(i -> expectations(name, i + 1, lines.get(i)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<Expected> expectations(String file, int number, String line) {
        // Several messages at one line are several comments.
        return Arrays.stream(line.split("(?=// \\[Pals)|(?=// nowhere)")).flatMap(part -> {
            Matcher matcher = EXPECTATION.matcher(part.strip());
            if (!matcher.matches()) {
                return Stream.of();
            }
            return Stream.of(
                    matcher.group(1) == null
                            ? new Expected(file, number, matcher.group(2))
                            : new Expected("", -1, matcher.group(2)));
        });
    }
}
