package dev.pals.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.codegen.Javac.Message;
import dev.pals.codegen.Javac.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.tools.Diagnostic.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * {@code docs/errors.md} has a heading for each id, and its examples are true: of the blocks of one language the first
 * fails with this id, and the last is mended. A block {@code java} is a source, {@code tsv} the baseline
 * {@code locks.tsv}, and {@code sh} the compiler's options.
 */
final class ErrorsDocumentTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "errors.md");

    @TempDir
    Path temp;

    @Test
    void headings_areTheIds() throws IOException {
        assertThat(sections().keySet())
                .containsExactlyInAnyOrderElementsOf(
                        Arrays.stream(Diagnostic.values()).map(Diagnostic::id).toList());
    }

    @ParameterizedTest
    @EnumSource
    void examples_firstFailsAndLastIsMended(Diagnostic diagnostic) throws IOException {
        String section = sections().getOrDefault(diagnostic.id(), "");
        List<String> sources = blocks(section, "java");
        List<String> options = blocks(section, "sh");
        List<String> baselines = blocks(section, "tsv");

        assertThat(sources.size() + options.size() + baselines.size())
                .as("a failing and a mended example")
                .isGreaterThanOrEqualTo(2);
        assertThat(idsOf(compiled("failing", first(sources), first(options), first(baselines))))
                .as("the failing example says only this")
                .isNotEmpty()
                .containsOnly(diagnostic.id());
        assertThat(idsOf(compiled("mended", last(sources), last(options), last(baselines))))
                .as("the mended example")
                .isEmpty();
    }

    private Result compiled(String folder, String source, String options, String baseline) throws IOException {
        Path file = temp.resolve(folder).resolve("locks.tsv");
        Files.createDirectories(temp.resolve(folder));
        List<String> all = new ArrayList<>();
        if (!options.isEmpty()) {
            all.addAll(Arrays.asList(
                    options.strip().replace("locks.tsv", file.toString()).split("\\s+")));
        }
        if (!baseline.isEmpty()) {
            Files.writeString(file, baseline);
            all.add("-Apals.baseline=" + file);
        }
        String imports = "import dev.pals.key.LockApp;\nimport dev.pals.key.LockName;\nimport java.util.UUID;\n";
        return Javac.in(temp.resolve(folder))
                .with(all.toArray(String[]::new))
                .with("-Xlint:-auxiliaryclass")
                .compile("Example.java", imports + source);
    }

    /** Ids of messages, and the texts of errors that have none. */
    private static List<String> idsOf(Result result) {
        return result.messages().stream()
                .filter(message ->
                        message.kind() == Kind.ERROR || message.text().startsWith("[Pals"))
                .map(Message::text)
                .map(text -> text.startsWith("[Pals") ? text.replaceFirst("(?s)^\\[(\\w+)].*$", "$1") : text)
                .toList();
    }

    private static Map<String, String> sections() throws IOException {
        Map<String, String> sections = new TreeMap<>();
        for (String part : Pattern.compile("(?m)^## ")
                .splitAsStream(Files.readString(DOCUMENT))
                .toList()) {
            String heading = part.lines().findFirst().orElse("");
            if (heading.matches("Pals\\w+")) {
                assertThat(sections).doesNotContainKey(heading);
                sections.put(heading, part);
            }
        }
        return sections;
    }

    private static List<String> blocks(String section, String language) {
        return Pattern.compile("(?s)```" + language + "\n(.*?)```")
                .matcher(section)
                .results()
                .map((MatchResult match) -> match.group(1))
                .toList();
    }

    private static String first(List<String> blocks) {
        return blocks.isEmpty() ? "" : blocks.get(0);
    }

    private static String last(List<String> blocks) {
        return blocks.isEmpty() ? "" : blocks.get(blocks.size() - 1);
    }
}
