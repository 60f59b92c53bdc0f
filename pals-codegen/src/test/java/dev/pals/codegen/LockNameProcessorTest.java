package dev.pals.codegen;

import static com.google.testing.compile.CompilationSubject.assertThat;
import static com.google.testing.compile.Compiler.javac;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.testing.compile.Compilation;
import com.google.testing.compile.JavaFileObjects;
import dev.pals.key.LockCatalog;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Collectors;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.TypeElement;
import javax.tools.JavaFileObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LockNameProcessorTest {
    private static final JavaFileObject BILLING = source("test.BillingLock", """
            package test;
            import dev.pals.key.*;
            @LockApp("billing")
            public enum BillingLock {
                @LockName("invoice-run") INVOICE_RUN,
                @LockName(value = "account", by = Long.class) ACCOUNT
            }
            """);

    @Test
    void constants_carryTheNumbersThatTheHashGives() throws Exception {
        Class<?> keys = load(compile(BILLING)).loadClass("test.BillingLockKeys");

        LockKey key = (LockKey) keys.getField("INVOICE_RUN").get(null);
        assertThat(key.appHash()).isEqualTo(-2467686256867487316L);
        assertThat(key.lockHash()).isEqualTo(6451536150896405195L);
        assertThat(key).hasToString("billing.invoice-run");
        LockFamily<?> family = (LockFamily<?>) keys.getField("ACCOUNT").get(null);
        assertThat(family.familyHash())
                .isEqualTo(LockFamily.byLong("billing", "account").familyHash());
    }

    @Test
    void familyConstant_isTypedByItsIds() throws Exception {
        Class<?> keys = load(compile(BILLING)).loadClass("test.BillingLockKeys");

        assertThat(keys.getField("ACCOUNT").getGenericType()).hasToString("dev.pals.key.LockFamily<java.lang.Long>");
        assertThat(keys.getField("INVOICE_RUN").getGenericType()).hasToString("class dev.pals.key.LockKey");
    }

    @Test
    void constants_compilerInALocaleWithOtherDigits_areTheSame() {
        Map<String, String> expected = generated(compile(BILLING));
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG"));
        try {
            assertThat("%d".formatted(1)).isEqualTo("\u0661");
            assertThat(generated(compile(BILLING))).isEqualTo(expected);
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void constants_ofEveryVector_carryItsNumbers() throws Exception {
        List<String[]> vectors = vectors();
        for (String[] vector : vectors) {
            JavaFileObject source = source(
                    "test.L",
                    "package test; @dev.pals.key.LockApp(\"%s\") enum L { @dev.pals.key.LockName(\"%s\") A }"
                            .formatted(vector[0], vector[1]));
            ClassLoader loader = load(compile(source));
            LockCatalog catalog = (LockCatalog)
                    loader.loadClass("test.LKeys$Catalog").getConstructor().newInstance();
            LockKey key = catalog.keys().get(0);
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

    @ParameterizedTest
    @ValueSource(
            strings = {
                "say \\\"hi\\\"",
                "back\\\\slash",
                "comment */ end",
                "percent %s %n",
                "\\\\u0041",
                "\\\\zażółć",
                "\\177\\1778",
                "zażółć",
                "emoji \uD83D\uDD12",
                "tab\\there",
                " blanks at the ends "
            })
    void name_withSpecialCharacters_arrivesUnchanged(String literal) throws Exception {
        JavaFileObject source = source(
                "test.Special",
                "package test; @dev.pals.key.LockApp(\"app\") public enum Special { @dev.pals.key.LockName(\"%s\") A }"
                        .replace("%s", literal));

        LockKey key = (LockKey) load(compile(source))
                .loadClass("test.SpecialKeys")
                .getField("A")
                .get(null);

        assertThat(key.name()).isEqualTo(literal.translateEscapes());
        assertThat(key.lockHash()).isEqualTo(LockKey.of("app", key.name()).lockHash());
    }

    @Test
    void enums_nestedPackagePrivateOrUnnamed_work() throws Exception {
        Compilation compilation = compile(
                source(
                        "test.Outer",
                        "package test; class Outer { @dev.pals.key.LockApp(\"n\") enum Inner { @dev.pals.key.LockName(\"a\") A } }"),
                source(
                        "Unnamed",
                        "@dev.pals.key.LockApp(\"u\") enum Unnamed { @dev.pals.key.LockName(\"a\") A { } ; Unnamed() {} }"));

        ClassLoader loader = load(compilation);

        assertThat(loader.loadClass("test.Outer_InnerKeys")).isNotNull();
        assertThat(loader.loadClass("UnnamedKeys")).isNotNull();
    }

    @Test
    void catalogs_areListedForTheServiceLoader() throws Exception {
        ClassLoader loader = load(compile(
                BILLING,
                source(
                        "test.Z",
                        "package test; @dev.pals.key.LockApp(\"z\") enum Z { @dev.pals.key.LockName(\"z\") Z }")));

        try (InputStream services = loader.getResourceAsStream("META-INF/services/dev.pals.key.LockCatalog")) {
            assertThat(services).isNotNull();
            assertThat(new String(services.readAllBytes(), StandardCharsets.UTF_8))
                    .isEqualTo("test.BillingLockKeys$Catalog\ntest.ZKeys$Catalog\n");
        }
        LockCatalog catalog = (LockCatalog) loader.loadClass("test.BillingLockKeys$Catalog")
                .getConstructor()
                .newInstance();
        assertThat(catalog.keys()).containsExactly(LockKey.of("billing", "invoice-run"));
        assertThat(catalog.families()).hasSize(1);
    }

    @Test
    void catalogs_ofPackagePrivateAndNestedEnums_areLoaded(@TempDir Path classes) throws Exception {
        Compilation compilation = compile(
                source("test.Outer", """
                package test;
                import dev.pals.key.*;
                class Outer {
                    @LockApp("n") enum Inner {
                        @LockName("a") A,
                        @LockName(value = "f", by = Long.class) F
                    }
                }
                """),
                source("Unnamed", "@dev.pals.key.LockApp(\"u\") enum Unnamed { @dev.pals.key.LockName(\"b\") B }"));
        for (JavaFileObject file : compilation.generatedFiles()) {
            Path target = classes.resolve(file.getName().replaceFirst("^/[A-Z]+_OUTPUT/", ""));
            Files.createDirectories(target.resolveSibling("."));
            Files.write(target, bytes(file));
        }

        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {classes.toUri().toURL()}, LockNameProcessorTest.class.getClassLoader())) {
            List<LockCatalog> catalogs = ServiceLoader.load(LockCatalog.class, loader).stream()
                    .map(ServiceLoader.Provider::get)
                    .filter(catalog -> catalog.getClass().getClassLoader() == loader)
                    .toList();

            assertThat(catalogs).flatMap(LockCatalog::keys).containsExactly(LockKey.of("u", "b"), LockKey.of("n", "a"));
            assertThat(catalogs)
                    .flatMap(LockCatalog::families)
                    .extracting(LockFamily::toString)
                    .containsExactly("n.f:*");
        }
    }

    @Test
    void duplicateName_inTwoEnums_isAnErrorThatNamesBothPlaces() {
        JavaFileObject other = source("test.OtherLock", """
                package test;
                import dev.pals.key.*;
                @LockApp("billing")
                enum OtherLock {
                    @LockName("invoice-run") AGAIN
                }
                """);

        for (List<JavaFileObject> sources : List.of(List.of(BILLING, other), List.of(other, BILLING))) {
            Compilation compilation =
                    javac().withProcessors(new LockNameProcessor()).compile(sources);

            assertThat(compilation).hadErrorCount(1);
            assertThat(compilation)
                    .hadErrorContaining(
                            "[PalsDuplicateName] The lock name \"invoice-run\" of app \"billing\" is already that of"
                                    + " test.BillingLock.INVOICE_RUN")
                    .inFile(other)
                    .onLine(5);
        }
    }

    @Test
    void duplicateName_inOneEnum_isAnErrorAtEachLaterConstant() {
        JavaFileObject source = source("test.E", """
                package test;
                import dev.pals.key.*;
                @LockApp("a") enum E {
                    @LockName("x") A,
                    @LockName("x") B,
                    @LockName(value = "x", by = Long.class) C
                }
                """);

        Compilation compilation =
                javac().withProcessors(new LockNameProcessor()).compile(source);

        assertThat(compilation).hadErrorCount(2);
        for (int line : new int[] {5, 6}) {
            assertThat(compilation)
                    .hadErrorContaining("[PalsDuplicateName]")
                    .inFile(source)
                    .onLine(line);
        }
        assertThat(compilation).hadErrorContaining("test.E.A");
    }

    @Test
    void duplicateName_inALaterRound_isAnErrorOnce() {
        JavaFileObject late = source("test.Late", """
                package test;
                @dev.pals.key.LockApp("billing") enum Late { @dev.pals.key.LockName("invoice-run") AGAIN }
                """);

        Compilation compilation = javac().withProcessors(new LockNameProcessor(), new LateSource("test.Late", late))
                .compile(BILLING);

        assertThat(compilation).hadErrorCount(1);
        assertThat(compilation).hadErrorContaining("[PalsDuplicateName]");
        assertThat(compilation.errors().get(0).getSource().getName()).endsWith("/test/Late.java");
    }

    @Test
    void enumOfALaterRound_isListedBesideTheFirst() throws Exception {
        JavaFileObject late = source("test.Late", """
                package test;
                @dev.pals.key.LockApp("late") enum Late { @dev.pals.key.LockName("l") L }
                """);

        Compilation compilation = javac().withProcessors(new LockNameProcessor(), new LateSource("test.Late", late))
                .compile(BILLING);

        assertThat(compilation).succeeded();
        assertThat(generated(compilation).get("/CLASS_OUTPUT/META-INF/services/dev.pals.key.LockCatalog"))
                .isEqualTo("test.BillingLockKeys$Catalog\ntest.LateKeys$Catalog\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "class BillingLockKeys {}",
                "class BillingLockKeys { @dev.pals.key.LockApp(\"o\") enum Other { @dev.pals.key.LockName(\"a\") A } }",
            })
    void generatedClass_thatIsThereAlready_isAnError(String existing) {
        Compilation compilation = javac().withProcessors(new LockNameProcessor())
                .compile(BILLING, source("test.BillingLockKeys", "package test; " + existing));

        assertThat(compilation).hadErrorCount(1);
        assertThat(compilation)
                .hadErrorContaining("[PalsNotWritten] The lock keys of test.BillingLock")
                .inFile(BILLING)
                .onLine(4);
    }

    @Test
    void sameName_inTwoApps_isFine() {
        assertThat(compile(
                        BILLING,
                        source(
                                "test.S",
                                "package test; @dev.pals.key.LockApp(\"shop\") enum S {"
                                        + " @dev.pals.key.LockName(\"invoice-run\") A }")))
                .succeeded();
    }

    @Test
    void ambiguousJoin_collides() {
        JavaFileObject first = source("test.A", """
                package test;
                @dev.pals.key.LockApp("a.b") enum A { @dev.pals.key.LockName("c") X }
                """);
        JavaFileObject second = source("test.B", """
                package test;
                @dev.pals.key.LockApp("a") enum B { @dev.pals.key.LockName("b.c") Y }
                """);

        Compilation compilation =
                javac().withProcessors(new LockNameProcessor()).compile(second, first);

        assertThat(compilation).hadErrorCount(1);
        assertThat(compilation)
                .hadErrorContaining("[PalsCollidingHash] \"a.b.c\" has the same 64-bit key as \"a.b.c\" (test.A.X)")
                .inFile(second)
                .onLine(2);
    }

    @Test
    void collidingHash_ofDifferentNames_isAnError() {
        Compilation compilation =
                javac().withProcessors(new LockNameProcessor(lock -> 1)).compile(BILLING);

        assertThat(compilation).hadErrorCount(1);
        assertThat(compilation)
                .hadErrorContaining(
                        "[PalsCollidingHash] \"billing.account\" has the same 64-bit key as \"billing.invoice-run\"")
                .inFile(BILLING)
                .onLine(6);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    @LockApp(" ") enum E { @LockName("a") A }                               | [PalsInvalidName] The app name " " is blank
                    @LockApp("a") enum E { @LockName("") A }                                | [PalsInvalidName] The lock name "" is blank
                    @LockApp("a") enum E { @LockName("a\\0b") A }                           | [PalsInvalidName] The lock name "a\\u0000b" has a NUL character
                    @LockApp("a\\0b") enum E { @LockName("a") A }                            | [PalsInvalidName] The app name "a\\u0000b" has a NUL character
                    @LockApp("a") enum E { @LockName("a\\uD800") A }                         | [PalsInvalidName] The lock name "a\\ud800" has an unpaired surrogate
                    @LockApp("a") enum E { @LockName("a:b") A }                             | [PalsColonInName] The lock name "a:b"
                    @LockApp("a") enum E { A }                                              | [PalsMissingName] The constant A
                    enum E { @LockName("a") A }                                             | [PalsMissingApp] A
                    @LockApp("a") enum E { @LockName("a") A; @LockName("b") int b; }       | [PalsMissingApp] b
                    @LockApp("a") class E { }                                               | [PalsNotAnEnum] @LockApp stands on test.E
                    @LockApp("a") interface E { }                                           | [PalsNotAnEnum] @LockApp stands on test.E
                    @LockApp("a") enum E { @LockName(value = "a", by = String.class) A }    | [PalsUnsupportedId] A lock family cannot be by java.lang.String.class
                    @LockApp("a") enum E { @LockName(value = "a", by = long.class) A }      | [PalsUnsupportedId] A lock family cannot be by long.class
                    """)
    void badInput_isAnErrorWithItsId(String declaration, String message) {
        JavaFileObject source = source("test.E", "package test; import dev.pals.key.*;\n" + declaration);

        Compilation compilation =
                javac().withProcessors(new LockNameProcessor()).compile(source);

        assertThat(compilation).hadErrorCount(1);
        assertThat(compilation).hadErrorContaining(message).inFile(source).onLine(2);
    }

    @Test
    void errors_several_areAllReportedAtTheirLines() {
        JavaFileObject source = source("test.E", """
                package test;
                import dev.pals.key.*;
                @LockApp("a") enum E {
                    @LockName("a:b") A,
                    @LockName("fine") FINE,
                    @LockName("") B,
                    C
                }
                """);

        Compilation compilation =
                javac().withProcessors(new LockNameProcessor()).compile(source);

        assertThat(compilation).hadErrorCount(3);
        assertThat(compilation)
                .hadErrorContaining("[PalsColonInName]")
                .inFile(source)
                .onLine(4);
        assertThat(compilation)
                .hadErrorContaining("[PalsInvalidName]")
                .inFile(source)
                .onLine(6);
        assertThat(compilation)
                .hadErrorContaining("[PalsMissingName]")
                .inFile(source)
                .onLine(7);
    }

    @Test
    void output_doesNotDependOnTheOrderOfSources() {
        JavaFileObject other = source(
                "test.Z", "package test; @dev.pals.key.LockApp(\"z\") enum Z { @dev.pals.key.LockName(\"z\") Z }");

        Map<String, String> first = generated(compile(BILLING, other));

        assertThat(first)
                .containsOnlyKeys(
                        "/SOURCE_OUTPUT/test/BillingLockKeys.java",
                        "/SOURCE_OUTPUT/test/ZKeys.java",
                        "/CLASS_OUTPUT/META-INF/services/dev.pals.key.LockCatalog");
        assertThat(first).isEqualTo(generated(compile(other, BILLING)));
        assertThat(first.values()).noneMatch(text -> text.contains("\r"));
    }

    @Test
    void generatedSource_isPlainAsciiOfOneLinePerConstant() {
        String text = String.valueOf(generated(
                        compile(
                                source(
                                        "test.P",
                                        "package test; @dev.pals.key.LockApp(\"a\") enum P { @dev.pals.key.LockName(\"\u017c\\n*/\") A }")))
                .get("/SOURCE_OUTPUT/test/PKeys.java"));

        assertThat(text.chars()).allMatch(c -> c < 128);
        assertThat(text)
                .contains("public static final dev.pals.key.LockKey A = dev.pals.key.LockKey.precomputed("
                        + "\"a\", \"\\u017c\\012*/\", "
                        + LockKey.of("a", "b").appHash() + "L, "
                        + LockKey.of("a", "\u017c\n*/").lockHash() + "L);");
    }

    /** Another processor, whose output the compiler sees in the second round. */
    private static final class LateSource extends AbstractProcessor {
        private final String name;
        private final JavaFileObject source;
        private boolean written;

        LateSource(String name, JavaFileObject source) {
            this.name = name;
            this.source = source;
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
                    writer.write(source.getCharContent(false).toString());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            return false;
        }
    }

    private static Compilation compile(JavaFileObject... sources) {
        Compilation compilation = javac().withProcessors(new LockNameProcessor())
                .withOptions("-Xlint:all,-processing,-options", "-Werror")
                .compile(sources);
        assertThat(compilation).succeeded();
        return compilation;
    }

    private static JavaFileObject source(String name, String text) {
        return JavaFileObjects.forSourceString(name, text);
    }

    private static Map<String, String> generated(Compilation compilation) {
        return compilation.generatedFiles().stream()
                .filter(file -> file.getKind() != JavaFileObject.Kind.CLASS)
                .collect(Collectors.toMap(
                        JavaFileObject::getName, file -> new String(bytes(file), StandardCharsets.UTF_8)));
    }

    private static ClassLoader load(Compilation compilation) {
        Map<String, byte[]> files = new HashMap<>();
        for (JavaFileObject file : compilation.generatedFiles()) {
            files.put(file.getName().replaceFirst("^/CLASS_OUTPUT/", ""), bytes(file));
        }
        return new ClassLoader(LockNameProcessorTest.class.getClassLoader()) {
            @Override
            protected Class<?> findClass(String name) throws ClassNotFoundException {
                byte[] code = files.get(name.replace('.', '/') + ".class");
                if (code == null) {
                    throw new ClassNotFoundException(name);
                }
                return defineClass(name, code, 0, code.length);
            }

            @Override
            public InputStream getResourceAsStream(String name) {
                return new ByteArrayInputStream(Objects.requireNonNull(files.get(name), name + " is not generated"));
            }
        };
    }

    private static byte[] bytes(JavaFileObject file) {
        try (InputStream in = file.openInputStream();
                ByteArrayOutputStream out = new ByteArrayOutputStream()) {
            in.transferTo(out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Those with an application and a name. */
    private static List<String[]> vectors() throws IOException {
        return vectorsText()
                .lines()
                .skip(1)
                .map(line -> line.split("\t", -1))
                .filter(vector -> Arrays.stream(vector).noneMatch(String::isEmpty))
                .toList();
    }

    private static String vectorsText() throws IOException {
        try (InputStream in = LockNameProcessorTest.class.getResourceAsStream("/pals-key-vectors.tsv")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
