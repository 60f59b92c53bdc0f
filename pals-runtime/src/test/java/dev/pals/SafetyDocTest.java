package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.commons.annotation.Testable;
import org.junit.platform.commons.support.AnnotationSupport;

/** Each sentence of docs/safety.md that promises or warns names the tests that show it. */
final class SafetyDocTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "safety.md");
    private static final Pattern REFERENCE = Pattern.compile("`([\\w.]+)#(\\w+)`");
    private static final Pattern SENTENCE = Pattern.compile(".*\\(`[\\w.]+#\\w+`(, `[\\w.]+#\\w+`)*\\)");

    /** The items of its lists; the rest only introduces them. */
    private static List<String> items() throws IOException {
        String text = Files.readString(DOCUMENT).replaceAll("(?s)<!--.*?-->", "");
        return Arrays.stream(text.split("\n(?=- |#|\n)"))
                .map(String::strip)
                .filter(part -> part.startsWith("- "))
                .map(part -> part.substring(2).replaceAll("\\s+", " "))
                .toList();
    }

    static Stream<String> sentences() throws IOException {
        return items().stream().flatMap(item -> Arrays.stream(item.split("(?<=\\))\\. ?")));
    }

    static Stream<String> references() throws IOException {
        return REFERENCE
                .matcher(Files.readString(DOCUMENT))
                .results()
                .map(found -> found.group(1) + "#" + found.group(2));
    }

    @Test
    void document_hasItsSentences() throws IOException {
        assertThat(items()).hasSizeGreaterThan(15);
        assertThat(sentences().count()).isGreaterThan(20);
        assertThat(references()).hasSizeGreaterThan(30);
    }

    @ParameterizedTest
    @MethodSource("sentences")
    void sentence_endsWithTheTestsThatShowIt(String sentence) {
        assertThat(sentence).matches(SENTENCE).doesNotContain(". ");
    }

    @ParameterizedTest
    @MethodSource("references")
    void reference_isATest(String reference) throws ClassNotFoundException {
        assertThat(isTest(reference)).as(reference).isTrue();
    }

    private static boolean isTest(String reference) throws ClassNotFoundException {
        String[] parts = reference.split("#", 2);
        Method[] methods = Class.forName("dev.pals." + parts[0], false, SafetyDocTest.class.getClassLoader())
                .getDeclaredMethods();
        return Arrays.stream(methods)
                .anyMatch(method ->
                        method.getName().equals(parts[1]) && AnnotationSupport.isAnnotated(method, Testable.class));
    }

    @Test
    void isTest_methodsThatAreNone_areSeen() throws ClassNotFoundException {
        assertThat(isTest("SafetyDocTest#document_hasItsSentences")).isTrue();
        assertThat(isTest("SafetyDocTest#isTest")).isFalse();
        assertThat(isTest("SafetyDocTest#noSuchMethod")).isFalse();
    }
}
