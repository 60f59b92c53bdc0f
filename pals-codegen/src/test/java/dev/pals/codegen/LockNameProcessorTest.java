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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import javax.tools.JavaFileObject;
import org.junit.jupiter.api.Test;
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
    void duplicateName_isAnErrorThatNamesBothPlaces() {
        Compilation compilation =
                javac().withProcessors(new LockNameProcessor()).compile(BILLING, source("test.OtherLock", """
                                package test;
                                import dev.pals.key.*;
                                @LockApp("billing")
                                enum OtherLock {
                                    @LockName("invoice-run") AGAIN
                                }
                                """));

        assertThat(compilation).hadErrorCount(1);
        assertThat(compilation)
                .hadErrorContaining(
                        "[PalsDuplicateName] The lock name \"invoice-run\" of app \"billing\" is already that of"
                                + " test.BillingLock.INVOICE_RUN");
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
        Compilation compilation = javac().withProcessors(new LockNameProcessor())
                .compile(
                        source(
                                "test.A",
                                "package test; @dev.pals.key.LockApp(\"a.b\") enum A { @dev.pals.key.LockName(\"c\") X }"),
                        source(
                                "test.B",
                                "package test; @dev.pals.key.LockApp(\"a\") enum B { @dev.pals.key.LockName(\"b.c\") Y }"));

        assertThat(compilation).hadErrorCount(1);
        assertThat(compilation).hadErrorContaining("[PalsCollidingHash]");
        assertThat(compilation).hadErrorContaining("test.A.X");
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
                    @LockApp("a") enum E { @LockName("a\\0b") A }                           | NUL character
                    @LockApp("a") enum E { @LockName("a:b") A }                             | [PalsColonInName]
                    @LockApp("a") enum E { A }                                              | [PalsMissingName] The constant A
                    enum E { @LockName("a") A }                                             | [PalsMissingApp]
                    @LockApp("a") class E { }                                               | [PalsNotAnEnum]
                    @LockApp("a") enum E { @LockName(value = "a", by = String.class) A }    | [PalsUnsupportedId] A lock family cannot be by java.lang.String.class
                    """)
    void badInput_isAnErrorWithItsId(String declaration, String message) {
        JavaFileObject source = source("test.E", "package test; import dev.pals.key.*;\n" + declaration);

        Compilation compilation =
                javac().withProcessors(new LockNameProcessor()).compile(source);

        assertThat(compilation).hadErrorCount(1);
        assertThat(compilation).hadErrorContaining(message).inFile(source).onLine(2);
    }

    @Test
    void secondError_isReportedToo() {
        Compilation compilation =
                javac().withProcessors(new LockNameProcessor()).compile(source("test.E", """
                        package test;
                        import dev.pals.key.*;
                        @LockApp("a") enum E {
                            @LockName("a:b") A,
                            @LockName("") B
                        }
                        """));

        assertThat(compilation).hadErrorCount(2);
    }

    @Test
    void output_doesNotDependOnTheOrderOfSources() {
        JavaFileObject other = source(
                "test.Z", "package test; @dev.pals.key.LockApp(\"z\") enum Z { @dev.pals.key.LockName(\"z\") Z }");

        assertThat(generated(compile(BILLING, other))).isEqualTo(generated(compile(other, BILLING)));
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
