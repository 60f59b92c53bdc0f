package dev.pals;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.conditions.ArchConditions.not;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Arrows go downward, no cycles, no internal type in a public signature. */
final class ArchitectureTest {
    private static final String INTERNAL = "dev.pals.internal..";

    private final JavaClasses classes = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("/dev/pals/db/"))
            .importPackages("dev.pals");

    @Test
    void imported_classes_areAllThere() {
        assertThat(classes.stream().map(JavaClass::getPackageName).distinct())
                .containsExactlyInAnyOrder(
                        "dev.pals",
                        "dev.pals.diagnostics",
                        "dev.pals.internal.gate",
                        "dev.pals.internal.registry",
                        "dev.pals.internal.session",
                        "dev.pals.internal.sql",
                        "dev.pals.internal.transaction",
                        "dev.pals.jooq",
                        "dev.pals.lock",
                        "dev.pals.key");
        assertThat(classes.contain(Locker.class)).isTrue();
    }

    @Test
    void packages_arrows_goDownward() {
        LayeredArchitecture layers = layeredArchitecture()
                .consideringAllDependencies()
                .layer("api")
                .definedBy("dev.pals")
                .layer("jooq")
                .definedBy("dev.pals.jooq")
                .layer("diagnostics")
                .definedBy("dev.pals.diagnostics")
                .layer("registry")
                .definedBy("dev.pals.internal.registry")
                .layer("gate")
                .definedBy("dev.pals.internal.gate")
                .layer("session")
                .definedBy("dev.pals.internal.session")
                .layer("transaction")
                .definedBy("dev.pals.internal.transaction")
                .layer("sql")
                .definedBy("dev.pals.internal.sql")
                .layer("lock")
                .definedBy("dev.pals.lock")
                .layer("key")
                .definedBy("dev.pals.key");
        layers.whereLayer("api")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("jooq")
                .mayOnlyBeAccessedByLayers("api")
                .whereLayer("diagnostics")
                .mayOnlyBeAccessedByLayers("api")
                .whereLayer("registry")
                .mayOnlyBeAccessedByLayers("api")
                .whereLayer("gate")
                .mayOnlyBeAccessedByLayers("api")
                .whereLayer("session")
                .mayOnlyBeAccessedByLayers("api", "gate")
                .whereLayer("transaction")
                .mayOnlyBeAccessedByLayers("api", "jooq")
                .whereLayer("sql")
                .mayOnlyBeAccessedByLayers("api", "diagnostics", "jooq", "registry", "session", "transaction")
                .whereLayer("lock")
                .mayOnlyBeAccessedByLayers("api", "diagnostics", "gate", "jooq", "registry", "session", "sql")
                .whereLayer("key")
                .mayOnlyBeAccessedByLayers("api", "diagnostics", "gate", "jooq", "registry", "session", "sql", "lock")
                .check(classes);
    }

    @Test
    void packages_cycles_areNone() {
        slices().matching("dev.pals.(**)").should().beFreeOfCycles().check(classes);
    }

    @Test
    void keys_dependencies_areTheJdkOnly() {
        classes()
                .that()
                .resideInAPackage("dev.pals.key")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("dev.pals.key", "java..", "org.jspecify.annotations")
                .check(classes);
    }

    @Test
    void publicSignatures_internalTypes_areNone() {
        classes()
                .that()
                .resideOutsideOfPackage(INTERNAL)
                .and()
                .arePublic()
                .should(not(showInternalTypes()))
                .check(classes);
    }

    @Test
    void publicSignatures_ruleOnInternalClasses_findsThem() {
        assertThat(classes()
                        .that()
                        .resideInAPackage(INTERNAL)
                        .should(not(showInternalTypes()))
                        .evaluate(classes)
                        .hasViolation())
                .as("the same rule must find the internal types in internal signatures, or it finds nothing")
                .isTrue();
    }

    private static ArchCondition<JavaClass> showInternalTypes() {
        return new ArchCondition<>("show internal types in public or protected signatures") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                Stream.concat(
                                Stream.concat(type.getRawSuperclass().stream(), type.getRawInterfaces().stream()),
                                type.getMembers().stream()
                                        .filter(ArchitectureTest::isVisible)
                                        .flatMap(ArchitectureTest::typesOf))
                        .filter(resideInAPackage(INTERNAL))
                        .forEach(shown -> events.add(SimpleConditionEvent.satisfied(
                                type, type.getName() + " shows " + shown.getName() + " in its signatures")));
            }
        };
    }

    private static boolean isVisible(JavaMember member) {
        return member.getModifiers().contains(JavaModifier.PUBLIC)
                || member.getModifiers().contains(JavaModifier.PROTECTED);
    }

    private static Stream<JavaClass> typesOf(JavaMember member) {
        if (member instanceof JavaCodeUnit unit) {
            return Stream.of(
                            unit.getReturnType().getAllInvolvedRawTypes().stream(),
                            unit.getParameterTypes().stream()
                                    .flatMap(parameter -> parameter.getAllInvolvedRawTypes().stream()),
                            unit.getExceptionTypes().stream())
                    .flatMap(types -> types);
        }
        return Stream.of(member)
                .filter(JavaField.class::isInstance)
                .map(JavaField.class::cast)
                .flatMap(field -> field.getType().getAllInvolvedRawTypes().stream());
    }
}
