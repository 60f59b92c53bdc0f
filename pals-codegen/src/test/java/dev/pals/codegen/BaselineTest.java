package dev.pals.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.codegen.Javac.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.Diagnostic.Kind;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The baseline: written by one option, compared ever after. */
final class BaselineTest {
    private static final String BILLING = """
            package test;
            import dev.pals.key.*;
            @LockApp("billing") enum Billing {
                @LockName("%s") INVOICE_RUN,
                @LockName(value = "acco\\"un\\tt", by = %s) ACCOUNT
            }
            """;

    @TempDir
    Path temp;

    private Path file = Path.of("");

    @BeforeEach
    void nameFile() {
        file = temp.resolve("locks.tsv");
    }

    private Result compiled(String name, String idType, String... options) {
        return Javac.in(temp.resolve("module"))
                .with("-Apals.baseline=" + file)
                .with(options)
                .compile("Billing.java", BILLING.formatted(name, idType));
    }

    private Result written(String name) {
        return compiled(name, "Long.class", "-Apals.baseline.update=true");
    }

    @Test
    void update_writesTheKeysSortedAndSaysSo() throws IOException {
        Result result = written("invoice-run");

        assertThat(Files.readString(file)).isEqualTo("""
                # The lock keys of this module, written by pals-codegen. A renamed lock is another lock: see docs/errors.md.
                # app\tname\tkind\tlock hash\tdeclared by
                billing\tacco\\"un\\011t\tnumeric\t%d\ttest.Billing.ACCOUNT
                billing\tinvoice-run\tplain\t6451536150896405195\ttest.Billing.INVOICE_RUN
                """.formatted(
                        dev.pals.key.LockKey.of("billing", "acco\"un\tt").lockHash()));
        assertThat(result.texts(Kind.NOTE)).containsExactly("2 lock keys written to " + file);
    }

    @Test
    void compare_whatWasWritten_isFine() {
        written("invoice-run");

        compiled("invoice-run", "Long.class").orFail();
    }

    @Test
    void compare_numberTypeOfTheSameKeys_isFine() {
        written("invoice-run");

        compiled("invoice-run", "Integer.class").orFail();
    }

    @Test
    void compare_otherKindOfFamily_isAnError() {
        written("invoice-run");

        assertThat(compiled("invoice-run", "String.class").errors())
                .singleElement()
                .asString()
                .contains(
                        "[PalsBaselineChanged]", "(numeric)", "(hashed)", "in a constant and under a name of its own");
    }

    @Test
    void compare_appRenamed_isAnErrorThatFormerlyCannotMend() {
        written("invoice-run");

        Result result = Javac.in(temp.resolve("app"))
                .with("-Apals.baseline=" + file)
                .compile(
                        "Billing.java", BILLING.replace("billing", "invoicing").formatted("invoice-run", "Long.class"));

        assertThat(result.errors())
                .hasSize(2)
                .allMatch(text -> text.startsWith("[PalsBaselineChanged]") && !text.contains("formerly"));
    }

    private Result comparedWith(String baselineSource, String source) {
        Javac.in(temp.resolve("old"))
                .with("-Apals.baseline=" + file, "-Apals.baseline.update=true")
                .compile("E.java", "import dev.pals.key.*;\n" + baselineSource)
                .succeeds();
        return Javac.in(temp.resolve("new"))
                .with("-Apals.baseline=" + file)
                .compile("E.java", "import dev.pals.key.*;\n" + source);
    }

    @Test
    void compare_namesSwapped_isAnErrorAtBoth() {
        String source = "@LockApp(\"a\") enum E { @LockName(\"%s\") A, @LockName(\"%s\") B }";

        assertThat(comparedWith(source.formatted("x", "y"), source.formatted("y", "x"))
                        .errors())
                .hasSize(2)
                .allMatch(text -> text.startsWith("[PalsBaselineChanged]"));
    }

    @Test
    void compare_nameHandedToANewConstant_isAnErrorAtTheOldOne() {
        Result result = comparedWith(
                "@LockApp(\"a\") enum E { @LockName(\"nightly\") A }",
                "@LockApp(\"a\") enum E { @LockName(\"run\") A, @LockName(\"nightly\") B }");

        assertThat(result.errors())
                .singleElement()
                .asString()
                .startsWith("[PalsBaselineChanged] The lock \"a.nightly\" of E.A (plain) is now \"a.run\"");
    }

    @Test
    void compare_constantRenamedInJavaOnly_isFine() {
        comparedWith(
                        "@LockApp(\"a\") enum E { @LockName(\"x\") A }",
                        "class E { @LockApp(\"a\") enum F { @LockName(\"x\") B } }")
                .orFail();
    }

    @Test
    void compare_appThatBeginsLikeAComment_isCompared() {
        assertThat(comparedWith(
                                "@LockApp(\"#a\") enum E { @LockName(\"x\") A }",
                                "@LockApp(\"#a\") enum E { @LockName(\"z\") A }")
                        .errors())
                .singleElement()
                .asString()
                .startsWith("[PalsBaselineChanged]");
    }

    @Test
    void enum_ofANonAsciiNameNotInThisCompilation_isReadFromItsClassFile() {
        Result full = Javac.in(temp.resolve("full"))
                .with("-Apals.baseline=" + file, "-Apals.baseline.update=true")
                .compile("E.java", "import dev.pals.key.*; @LockApp(\"a\") enum Schl\u00fcssel { @LockName(\"x\") A }");

        Javac.in(temp.resolve("other"))
                .dependingOn(full.module())
                .with("-Apals.baseline=" + file)
                .compile("Nothing.java", "class Nothing {}")
                .orFail();
    }

    @Test
    void update_enumNotInThisCompilation_keepsItsLines() throws IOException {
        Result full = written("invoice-run");
        String before = Files.readString(file);

        Javac.in(temp.resolve("other"))
                .dependingOn(full.module())
                .with("-Apals.baseline=" + file, "-Apals.baseline.update=true")
                .compile("Nothing.java", "class Nothing {}");

        assertThat(Files.readString(file)).isEqualTo(before);
    }

    @Test
    void rename_withFormerly_isNewUntilTheBaselineIsWrittenAnew() {
        written("invoice-run");
        String renamed = "invoice-close\", formerly = \"invoice-run";
        String source = BILLING.replace("@LockName(\"%s\")", "@LockName(value = \"%s\")");

        for (String option : List.of("-Apals.baseline.update=false", "-Apals.baseline.update=true")) {
            Result result = Javac.in(temp.resolve("renamed"))
                    .with("-Apals.baseline=" + file, option)
                    .compile("Billing.java", source.formatted(renamed, "Long.class"));
            assertThat(result.errors()).isEmpty();
            assertThat(result.texts(Kind.MANDATORY_WARNING)).isEmpty();
            assertThat(result.texts(Kind.WARNING))
                    .hasSize(option.endsWith("false") ? 1 : 0)
                    .allMatch(text -> text.startsWith("[PalsBaselineNew] The lock \"billing.invoice-close\""));
        }
        Result removed = compiled("invoice-close", "Long.class");

        assertThat(removed.errors())
                .as("the former name is a key as well, and its end is told")
                .singleElement()
                .asString()
                .startsWith("[PalsBaselineChanged] The lock \"billing.invoice-run\"");
    }

    @Test
    void lastEnum_deleted_isAnErrorForEachOfItsKeys() {
        written("invoice-run");

        Result result = Javac.in(temp.resolve("empty"))
                .with("-Apals.baseline=" + file)
                .compile("Nothing.java", "class Nothing {}");

        assertThat(result.errors()).hasSize(2).allMatch(text -> text.startsWith("[PalsBaselineVanished]"));
    }

    @Test
    void enum_notInThisCompilation_isReadFromItsClassFile() {
        Result full = written("invoice-run");

        Javac.in(temp.resolve("other"))
                .dependingOn(full.module())
                .with("-Apals.baseline=" + file)
                .compile("Nothing.java", "class Nothing {}")
                .orFail();
    }

    @Test
    void update_sourcesWithErrors_writesNothing() {
        Result result = written("invoice:run");

        assertThat(result.errors()).singleElement().asString().startsWith("[PalsColonInName]");
        assertThat(file).doesNotExist();
    }

    @Test
    void update_folderDoesNotExist_isAnError() {
        file = temp.resolve("nowhere").resolve("locks.tsv");

        assertThat(written("invoice-run").errors())
                .singleElement()
                .asString()
                .startsWith("[PalsNotWritten] The baseline " + file);
    }

    @Test
    void options_updateWithoutAFile_isAnError() {
        Result result = Javac.in(temp)
                .with("-Apals.baseline.update=true")
                .compile("Billing.java", BILLING.formatted("invoice-run", "Long.class"));

        assertThat(result.errors())
                .containsExactly("[PalsBadOption] The processor option pals.baseline.update is of no use without"
                        + " pals.baseline. The README shows how to set it.");
    }

    @Test
    void options_fileWithoutAValue_isAnError() {
        Result result = Javac.in(temp)
                .with("-Apals.baseline")
                .compile("Billing.java", BILLING.formatted("invoice-run", "Long.class"));

        assertThat(result.errors())
                .singleElement()
                .asString()
                .startsWith("[PalsBadOption] The processor option pals.baseline is empty");
    }
}
