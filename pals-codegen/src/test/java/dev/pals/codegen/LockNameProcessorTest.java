package dev.pals.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.codegen.Javac.Message;
import dev.pals.codegen.Javac.Result;
import dev.pals.key.LockKey;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.TypeElement;
import javax.tools.Diagnostic.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the processor behaves in the compiler, apart from the examples in {@code good/} and {@code bad/}. */
final class LockNameProcessorTest {
    private static final String BILLING = """
            package test;
            import dev.pals.key.*;
            @LockApp("billing")
            public enum BillingLock {
                @LockName("invoice-run") INVOICE_RUN,
                @LockName(value = "account", by = Long.class) ACCOUNT
            }
            """;

    @TempDir
    Path temp;

    @Test
    void constants_ofEveryVector_carryItsNumbers() throws Exception {
        List<String[]> vectors = vectorsText()
                .lines()
                .skip(1)
                .map(line -> line.split("\t", -1))
                // A constant has an application and a name.
                .filter(vector -> Arrays.stream(vector).noneMatch(String::isEmpty))
                .toList();
        for (int i = 0; i < vectors.size(); i++) {
            String[] vector = vectors.get(i);
            Result result = Javac.in(temp.resolve("vector-" + i))
                    .compile("L.java", """
                            package test;
                            @dev.pals.key.LockApp("%s") enum L {
                                @dev.pals.key.LockName("%s") A,
                                @dev.pals.key.LockName(value = "other", formerly = "%2$s-before") B
                            }
                            """.formatted(vector[0], vector[1]))
                    .orFail();
            LockKey key = (LockKey) result.constant("test.LKeys", "A");
            assertThat(key.appHash()).isEqualTo(Long.parseLong(vector[2]));
            assertThat(key.lockHash()).isEqualTo(Long.parseLong(vector[3]));
        }
        assertThat(vectors).hasSize(6);
    }

    @Test
    void vectors_areThoseOfTheDesign_whereTheDesignIsBeside() throws IOException {
        Path design = Path.of("..", "..", "shared", "data", "pals-key-vectors.tsv");
        if (Files.exists(design)) {
            assertThat(Files.readString(design)).isEqualTo(vectorsText());
        }
        assertThat(vectorsText()).startsWith("app\tname\tapp_hash\tlock_hash\n");
    }

    private static String vectorsText() throws IOException {
        try (InputStream in = LockNameProcessorTest.class.getResourceAsStream("/pals-key-vectors.tsv")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void processor_twiceOnThePath_worksOnce() {
        Result result = Javac.in(temp)
                .with(new LockNameProcessor(), new LockNameProcessor())
                .with("-Werror")
                .compile("BillingLock.java", BILLING);

        assertThat(result.orFail().generated()).containsKey("test/BillingLockKeys.java");
    }

    @Test
    void outputFolder_cannotBeWritten_isAnErrorAtTheEnum() throws IOException {
        Files.createDirectories(temp.resolve("generated"));
        // For every user, root too, no folder can be made where a file is.
        Files.writeString(temp.resolve("generated").resolve("test"), "a file");

        Result result = Javac.in(temp).compile("BillingLock.java", BILLING);

        assertThat(result.messages())
                .filteredOn(message -> message.kind() == Kind.ERROR)
                .singleElement()
                .satisfies(message -> {
                    assertThat(message.text())
                            .startsWith("[PalsNotWritten] The lock keys of test.BillingLock could not be written: ");
                    assertThat(message.file()).isEqualTo("BillingLock.java");
                    assertThat(message.line()).isEqualTo(4);
                });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "@LockApp(\"a\") enum E { @LockName(value = \"x\", by = Missing.class) X, @LockName(\"y:\") Y }",
                "@LockApp(\"a\") enum E { @LockName(Missing.NAME) X }",
                "@LockApp(\"a\") enum E { @LockName(value = \"x\", formerly = \"pre-\" + Missing.NAME) X }",
                "@LockApp(Missing.NAME) enum E { @LockName(\"x\") X }",
            })
    void value_ofSomethingMissing_isTheCompilersErrorAndNoKey(String source) {
        Result result = Javac.in(temp).compile("E.java", "import dev.pals.key.*;\n" + source);

        assertThat(result.errors()).singleElement().asString().contains("cannot find symbol");
        assertThat(result.generated()).isEmpty();
    }

    @Test
    void name_thatAnotherProcessorGenerates_isReadWhenItIsThere() throws Exception {
        Path file = Javac.in(temp).write("G.java", """
                package test;
                import dev.pals.key.*;
                @LockApp(Names.APP) enum G {
                    @LockName(Names.RUN) X,
                    @LockName(value = "pre-" + Names.RUN, formerly = Names.RUN + "-post") Y
                }
                """);

        Result result = Javac.in(temp)
                .with(
                        new LockNameProcessor(),
                        new LateSource(
                                "test.Names",
                                "package test; class Names { static final String APP = \"billing\", RUN = \"run\"; }"))
                .compile(List.of(file));

        assertThat(result.errors()).isEmpty();
        assertThat(result.constant("test.GKeys", "X")).isEqualTo(LockKey.of("billing", "run"));
        assertThat(((LockKey) result.constant("test.GKeys", "Y")).formerly())
                .contains(LockKey.of("billing", "run-post"));
    }

    @Test
    void name_thatIsCalledLikeAnUnresolvedOne_isAName() throws Exception {
        Result result = Javac.in(temp)
                .compile("E.java", "@dev.pals.key.LockApp(\"a\") enum E { @dev.pals.key.LockName(\"<error>\") X }")
                .orFail();

        assertThat(result.constant("EKeys", "X")).isEqualTo(LockKey.of("a", "<error>"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "@LockApp enum E { @LockName(\"a\") A }",
                "@LockApp(MISSING) enum E { @LockName(\"a\") A }",
                "@LockApp(42) enum E { @LockName(\"a\") A }",
                "@LockApp(\"a\") enum E { @LockName A }",
                "@LockApp(\"a\") enum E { @LockName(null) A }",
                "@LockApp(\"a\") enum E { @LockName(value = \"a\", by = 1) A }",
                "@LockApp(\"a\") enum E { @LockName(value = \"a\", by = int[].class) A }",
                "@LockApp(\"a\") enum E { @LockName(value = \"a\", formerly = {}) A }",
                "@LockApp(\"a\") enum E { @LockName(\"a\") A, @LockName(\"b\") }",
                "@LockApp(\"a\") enum E { @LockName(\"a\") A, @LockName(\"b\") A }",
                "@LockApp(\"a\") @LockApp(\"b\") enum E { @LockName(\"a\") A }",
                "@LockApp(\"a\") record E() {}",
                "@LockApp(\"a\") @interface E {}",
                "@LockApp(\"a\") enum E implements Missing { @LockName(\"a\") A }",
            })
    void sources_thatAreNotEvenJava_areErrorsAndNoException(String source) {
        Result result = Javac.in(temp).compile("E.java", "import dev.pals.key.*;\n" + source);

        assertThat(result.succeeded()).isFalse();
        assertThat(result.errors())
                .isNotEmpty()
                .noneMatch(text -> text.contains("Exception") || text.contains("An annotation processor threw"));
    }

    @Test
    void errors_several_areAllReported() {
        Result result = Javac.in(temp).compile("E.java", """
                import dev.pals.key.*;
                @LockApp("a") enum E {
                    @LockName("a:b") A,
                    @LockName("fine") FINE,
                    @LockName(value = "", formerly = "x:", by = int.class) B,
                    C
                }
                @LockApp("") enum F { @LockName("x") X }
                """);

        assertThat(result.messages())
                .extracting(message -> message.line() + " " + message.text().replaceFirst("].*$", "]"))
                .containsExactly(
                        "3 [PalsColonInName]",
                        "5 [PalsInvalidName]",
                        "5 [PalsColonInName]",
                        "5 [PalsUnsupportedId]",
                        "6 [PalsMissingName]",
                        "8 [PalsInvalidName]");
    }

    @Test
    void enumOfALaterRound_isCheckedAgainstTheFirstAndListedBesideIt() {
        String late = """
                package test;
                @dev.pals.key.LockApp("billing") enum Late { @dev.pals.key.LockName("%s") L }
                """;
        Path file = Javac.in(temp).write("BillingLock.java", BILLING);

        Result fine = Javac.in(temp.resolve("fine"))
                .with(new LockNameProcessor(), new LateSource("test.Late", late.formatted("late")))
                .compile(List.of(file));
        Result duplicate = Javac.in(temp.resolve("duplicate"))
                .with(new LockNameProcessor(), new LateSource("test.Late", late.formatted("invoice-run")))
                .compile(List.of(file));

        assertThat(fine.orFail().generated().get("META-INF/services/dev.pals.key.LockCatalog"))
                .isEqualTo("test.BillingLockKeys$Catalog\ntest.LateKeys$Catalog\n");
        assertThat(duplicate.messages())
                .filteredOn(message -> message.kind() == Kind.ERROR)
                .extracting(Message::file)
                .containsExactly("Late.java");
        assertThat(duplicate.errors())
                .singleElement()
                .asString()
                .startsWith("[PalsDuplicateName]")
                .contains("test.BillingLock.INVOICE_RUN");
    }

    /** Another processor, whose output the compiler sees in the second round. */
    private static final class LateSource extends AbstractProcessor {
        private final String name;
        private final String text;
        private boolean written;

        LateSource(String name, String text) {
            this.name = name;
            this.text = text;
        }

        @Override
        public Set<String> getSupportedAnnotationTypes() {
            return Set.of("*");
        }

        @Override
        public SourceVersion getSupportedSourceVersion() {
            return SourceVersion.latestSupported();
        }

        @Override
        public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
            if (!written) {
                written = true;
                try (Writer writer =
                        processingEnv.getFiler().createSourceFile(name).openWriter()) {
                    writer.write(text);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            return false;
        }
    }
}
