package dev.pals.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.codegen.Javac.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several modules, and compilations that see only a part of one. */
final class ModulesTest {
    private static final String BILLING = """
            package test;
            import dev.pals.key.*;
            @LockApp("billing") public enum Billing {
                @LockName(value = "invoice-close", formerly = "invoice-run") INVOICE_CLOSE,
                @LockName(value = "account", by = Long.class) ACCOUNT
            }
            """;
    private static final String SHOP = """
            package test;
            import dev.pals.key.*;
            @LockApp("shop") enum Shop { @LockName("%s") SALE }
            """;

    @TempDir
    Path temp;

    private Javac module(String name) {
        return Javac.in(temp.resolve(name));
    }

    @Test
    void otherModule_ofDifferentNames_isFine() {
        module("billing").compile("Billing.java", BILLING).orFail();

        Result shop = module("shop")
                .dependingOn(temp.resolve("billing"))
                .compile("Shop.java", SHOP.formatted("sale"))
                .orFail();

        assertThat(shop.generated().get("META-INF/services/dev.pals.key.LockCatalog"))
                .as("a module lists its own catalogs only")
                .isEqualTo("test.ShopKeys$Catalog\n");
    }

    @Test
    void twoOtherModules_thatCollide_areAnErrorWhereTheyMeet() {
        module("one")
                .compile("One.java", SHOP.formatted("sale").replace("Shop", "One"))
                .orFail();
        module("two")
                .compile("Two.java", SHOP.formatted("sale").replace("Shop", "Two"))
                .orFail();

        Result app = module("app")
                .dependingOn(temp.resolve("one"))
                .dependingOn(temp.resolve("two"))
                .compile("Billing.java", BILLING);

        assertThat(app.errors())
                .singleElement()
                .asString()
                .startsWith(
                        "[PalsDuplicateName] The lock name \"sale\" of app \"shop\" at test.Two.SALE is already that of"
                                + " test.One.SALE.");
    }

    @Test
    void twoOtherModules_thatLookAlike_areLeftToThoseWhoCanMendThem() {
        module("one")
                .compile("One.java", SHOP.formatted("sale-run").replace("Shop", "One"))
                .orFail();
        module("two")
                .compile("Two.java", SHOP.formatted("sale_run").replace("Shop", "Two"))
                .orFail();

        module("app")
                .dependingOn(temp.resolve("one"))
                .dependingOn(temp.resolve("two"))
                .compile("Billing.java", BILLING)
                .orFail();
    }

    @Test
    void module_ofManyEnums_isIndexedWhole() {
        Javac javac = module("many");
        List<Path> sources = IntStream.range(0, 120)
                .mapToObj(i -> javac.write(
                        "Shop" + i + ".java", SHOP.formatted("sale" + i).replace("Shop", "Shop" + i)))
                .toList();
        javac.compile(sources).orFail();

        for (int i : new int[] {0, 49, 50, 119}) {
            assertThat(module("app" + i)
                            .dependingOn(temp.resolve("many"))
                            .compile("Other.java", SHOP.formatted("sale" + i).replace("Shop", "Other"))
                            .errors())
                    .singleElement()
                    .asString()
                    .contains("is already that of test.Shop" + i + ".SALE");
        }
    }

    @Test
    void namedModule_hasNoIndexEntry_sinceTwoMayNotShareAPackage() {
        Javac javac = module("named").with("--add-reads", "named=ALL-UNNAMED", "-Xlint:-exports");
        Path info = javac.write("module-info.java", "/** A module. */ module named { exports test; }");
        Path source = javac.write("test/Billing.java", BILLING);

        Result result = javac.compile(List.of(info, source)).orFail();

        assertThat(result.generated())
                .containsOnlyKeys("META-INF/services/dev.pals.key.LockCatalog", "test/BillingKeys.java");
    }

    // ---- incremental: what Gradle and IDEs do ----

    /** The first, full compilation of two enums into one module. */
    private Map<String, String> compiledBoth() {
        Javac javac = module("app");
        return javac.compile(
                        List.of(javac.write("Billing.java", BILLING), javac.write("Shop.java", SHOP.formatted("sale"))))
                .orFail()
                .generated();
    }

    /** Gradle deletes what aggregating processors generated, and has them see all annotated classes again. */
    private void deleteGenerated() throws IOException {
        for (Path file : Javac.filesIn(temp.resolve("app"))) {
            String name = file.toString();
            if (name.contains("Keys") || name.contains("index") || name.contains("META-INF")) {
                Files.delete(file);
            }
        }
    }

    private Javac again() {
        return module("app").dependingOn(temp.resolve("app"));
    }

    @Test
    void incremental_nothingChanged_generatesTheSame() throws IOException {
        Map<String, String> full = compiledBoth();
        deleteGenerated();

        Result result = again().compile(List.of(), List.of("test.Billing", "test.Shop"));

        assertThat(result.orFail().generated()).isEqualTo(full);
    }

    @Test
    void incremental_oneEnumChanged_isCheckedAgainstTheOther() throws IOException {
        compiledBoth();
        deleteGenerated();
        Path changed = again().write("Shop.java", SHOP.formatted("discount"));
        assertThat(again().compile(List.of(changed), List.of("test.Billing"))
                        .orFail()
                        .generated())
                .hasEntrySatisfying(
                        "test/ShopKeys.java", text -> assertThat(text).contains("\"discount\""))
                .containsEntry(
                        "META-INF/services/dev.pals.key.LockCatalog",
                        "test.BillingKeys$Catalog\ntest.ShopKeys$Catalog\n");

        Path collides =
                again().write("Shop.java", SHOP.replace("shop", "billing").formatted("invoice-run"));
        assertThat(again().compile(List.of(collides), List.of("test.Billing")).errors())
                .singleElement()
                .asString()
                .startsWith("[PalsDuplicateName]");
    }

    @Test
    void incremental_onlyTheChangedEnumIsSeen_isCheckedAgainstTheClassFiles() {
        compiledBoth();

        Path collides =
                again().write("Shop.java", SHOP.replace("shop", "billing").formatted("invoice-run"));

        assertThat(again().compile(List.of(collides)).errors())
                .singleElement()
                .asString()
                .startsWith("[PalsDuplicateName]");
    }

    @Test
    void incremental_oneEnumDeleted_isGoneAndItsNamesAreFree() throws IOException {
        compiledBoth();
        deleteGenerated();
        Files.delete(temp.resolve("app/classes/test/Billing.class"));

        Path takes = again().write("Shop.java", SHOP.replace("shop", "billing").formatted("invoice-run"));
        Result result = again().compile(List.of(takes)).orFail();

        assertThat(result.generated())
                .doesNotContainKey("test/BillingKeys.java")
                .containsEntry("META-INF/services/dev.pals.key.LockCatalog", "test.ShopKeys$Catalog\n");
    }

    @Test
    void incremental_enumDeletedButItsIndexEntryLeftBehind_namesAreFree() throws IOException {
        compiledBoth();
        Files.delete(temp.resolve("app/classes/test/Billing.class"));

        Path takes = again().write("Shop.java", SHOP.replace("shop", "billing").formatted("invoice-run"));

        assertThat(temp.resolve("app/classes/dev/pals/index/test_Billing.class"))
                .exists();
        assertThat(again().compile(List.of(takes)).errors()).isEmpty();
    }

    @Test
    void incremental_enumMovedToAnotherModule_isNoDuplicateOfItself() throws IOException {
        compiledBoth();
        deleteGenerated();
        Files.delete(temp.resolve("app/classes/test/Billing.class"));

        module("library").compile("Billing.java", BILLING).orFail();
        Result app = again().dependingOn(temp.resolve("library")).compile(List.of(), List.of("test.Shop"));

        assertThat(app.orFail().generated())
                .containsEntry("META-INF/services/dev.pals.key.LockCatalog", "test.ShopKeys$Catalog\n");
    }

    @Test
    void incremental_enumMovedButItsOldClassFilesLeftBehind_isNoDuplicateOfItself() {
        compiledBoth();

        Result library = module("library").dependingOn(temp.resolve("app")).compile("Billing.java", BILLING);

        assertThat(library.errors()).isEmpty();
        assertThat(library.generated()).containsKey("test/BillingKeys.java");
    }
}
