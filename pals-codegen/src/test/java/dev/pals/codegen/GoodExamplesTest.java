package dev.pals.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.codegen.Javac.Message;
import dev.pals.codegen.Javac.Result;
import dev.pals.key.LockCatalog;
import dev.pals.key.LockDeclaration;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.TimeZone;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compiles {@code good/} under {@code -Xlint:all -Xdoclint:all -Werror}, and compares what is generated with
 * {@code expected/}. The build runs this on two JDKs, which so generate the same.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class GoodExamplesTest {
    private static final Path RESOURCES = Path.of("src", "test", "resources");
    private static final List<Path> GOOD = Javac.filesIn(RESOURCES.resolve("good"));

    private Result result = new Result(false, List.of(), Path.of("none"));

    @BeforeAll
    void compile(@TempDir Path temp) {
        result = Javac.in(temp).with("-Werror").compile(GOOD).orFail();
    }

    @Test
    void examples_generated_isAsExpected() {
        Map<String, String> expected = Javac.contents(RESOURCES.resolve("expected"));

        assertThat(result.generated().keySet()).isEqualTo(expected.keySet());
        assertThat(result.generated())
                .allSatisfy((name, text) -> assertThat(text).as(name).isEqualTo(expected.get(name)));
    }

    @Test
    void examples_generated_isPlainAsciiWithUnixLines() {
        assertThat(result.generated().values())
                .allSatisfy(text -> assertThat(text.chars()).allMatch(c -> c == '\n' || (c >= ' ' && c <= '~')));
    }

    @Test
    void constants_allNames_carryTheNumbersOfTheHash() throws Exception {
        int seen = 0;
        try (URLClassLoader loader = result.load()) {
            for (LockCatalog catalog : catalogs(loader)) {
                for (LockKey key : catalog.keys()) {
                    LockKey computed = LockKey.of(key.app().orElseThrow(), key.name());
                    assertThat(key.lockHash()).as(key.toString()).isEqualTo(computed.lockHash());
                    assertThat(key.appHash()).isEqualTo(computed.appHash());
                    key.formerly()
                            .ifPresent(former -> assertThat(former.lockHash())
                                    .isEqualTo(LockKey.of(key.app().orElseThrow(), former.name())
                                            .lockHash()));
                    seen++;
                }
                for (LockFamily<?> family : catalog.families()) {
                    assertThat(family.familyHash())
                            .isEqualTo(LockKey.of(family.app(), family.name()).lockHash());
                    seen++;
                }
            }
        }
        assertThat(seen).isEqualTo(51);
    }

    @Test
    void catalogs_ofEveryVisibility_areLoadedInTheOrderOfTheirConstants() throws Exception {
        try (URLClassLoader loader = result.load()) {
            assertThat(catalogs(loader)).hasSize(13);
            LockCatalog families = (LockCatalog) loader.loadClass("good.FamiliesKeys$Catalog")
                    .getConstructor()
                    .newInstance();
            assertThat(families.keys()).extracting(LockKey::name).containsExactly("all-accounts");
            assertThat(families.families())
                    .extracting(LockFamily::name)
                    .containsExactly("account", "branch", "customer", "payment");
        }
    }

    private static List<LockCatalog> catalogs(ClassLoader loader) {
        return ServiceLoader.load(LockCatalog.class, loader).stream()
                .map(ServiceLoader.Provider::get)
                .filter(catalog -> catalog.getClass().getClassLoader() == loader)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Plain", "Families", "OnlyAccounts", "Identifiers", "Bodies", "Outer.Protected"})
    @SuppressWarnings({"unchecked", "rawtypes"})
    void of_everyConstant_isTheFieldOfItsName(String name) throws Exception {
        try (URLClassLoader loader = result.load()) {
            Class<? extends Enum> type = (Class<? extends Enum>) loader.loadClass("good." + name.replace('.', '$'));
            Class<?> keys = loader.loadClass("good." + name.replace('.', '_') + "Keys");
            Method of = keys.getMethod("of", type);
            of.setAccessible(true);
            assertThat(type.getEnumConstants()).isNotEmpty().allSatisfy(constant -> {
                Object declared = of.invoke(null, constant);
                assertThat(declared)
                        .isInstanceOf(LockDeclaration.class)
                        .isSameAs(result(loader, keys, constant.name()));
            });
        }
    }

    private static Object result(ClassLoader loader, Class<?> keys, String name) throws ReflectiveOperationException {
        var field = loader.loadClass(keys.getName()).getDeclaredField(name);
        field.setAccessible(true);
        return field.get(null);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "LockKey key = good.FamiliesKeys.of(good.Families.ACCOUNT);",
                "LockKey key = good.FamiliesKeys.ACCOUNT;",
                "LockKey key = good.FamiliesKeys.ACCOUNT.of(42);",
                "LockKey key = good.FamiliesKeys.ACCOUNT.of(\"42\");",
                "LockKey key = good.FamiliesKeys.BRANCH.of(42L);",
                "LockKey key = good.FamiliesKeys.CUSTOMER.of(42L);",
                "LockKey key = good.FamiliesKeys.PAYMENT.of(\"ann\");",
                "LockKey key = good.PlainKeys.INVOICE_RUN.of(42L);",
                "LockKey key = good.PlainKeys.of(good.Families.ACCOUNT);",
            })
    void misuse_doesNotCompile(String statement, @TempDir Path temp) {
        assertThat(use(temp, statement).errors()).hasSize(1);
    }

    @Test
    void use_ofTheSameKind_compiles(@TempDir Path temp) {
        use(temp, "LockKey key = good.FamiliesKeys.ACCOUNT.of(42L);").orFail();
    }

    private Result use(Path temp, String statement) {
        return Javac.in(temp)
                .dependingOn(result.module())
                .compile(
                        "Use.java",
                        "import dev.pals.key.LockKey; class Use { void use() { %s } }".formatted(statement));
    }

    @Test
    void output_inputsShuffled_isTheSame(@TempDir Path temp) {
        List<Path> shuffled = new ArrayList<>(GOOD);
        for (int seed = 0; seed < 3; seed++) {
            Collections.shuffle(shuffled, new Random(seed));
            assertThat(generatedFrom(shuffled, temp.resolve("shuffled-" + seed)))
                    .as("seed " + seed)
                    .isEqualTo(result.generated());
        }
    }

    @Test
    void output_otherLocaleAndTimeZone_isTheSame(@TempDir Path temp) {
        Locale locale = Locale.getDefault();
        TimeZone zone = TimeZone.getDefault();
        try {
            for (String tag : List.of("ar-EG", "tr-TR")) {
                Locale.setDefault(Locale.forLanguageTag(tag));
                TimeZone.setDefault(TimeZone.getTimeZone("Pacific/Kiritimati"));
                assertThat(generatedFrom(GOOD, temp.resolve(tag))).isEqualTo(result.generated());
            }
            assertThat("%d".formatted(1).equals("1")
                            && "I".toLowerCase(Locale.getDefault()).equals("i"))
                    .as("the locales must matter to a program that forgets them, or this shows nothing")
                    .isFalse();
        } finally {
            Locale.setDefault(locale);
            TimeZone.setDefault(zone);
        }
    }

    private static Map<String, String> generatedFrom(List<Path> files, Path module) {
        return Javac.in(module).compile(files).orFail().generated();
    }

    @Test
    void output_sourcesInAnotherEncoding_isTheSame(@TempDir Path temp) throws IOException {
        Result ascii =
                Javac.in(temp).with("-encoding", "US-ASCII").compile(GOOD).orFail();

        assertThat(ascii.generated()).isEqualTo(result.generated());
    }

    @Test
    void messages_none_ofAnyKind() {
        assertThat(result.messages()).extracting(Message::text).isEmpty();
    }
}
