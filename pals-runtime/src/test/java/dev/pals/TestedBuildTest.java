package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.pals.db.PalsSchema;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jooq.Constants;
import org.jooq.DSLContext;
import org.junit.jupiter.api.Test;

/** The tests of this JVM run with the jOOQ and the classes that the build says they do. */
final class TestedBuildTest {
    @Test
    void jooq_isOfTheVersionAskedFor() throws Exception {
        String version = told("pals.tests.jooq.version");

        // Named here, its value would be that of the version that this test was compiled with.
        assertThat(Constants.class.getField("FULL_VERSION").get(null)).isEqualTo(version);
        assertThat(sourceOf(DSLContext.class)).hasFileName("jooq-" + version + ".jar");
    }

    @Test
    void classes_areThoseAskedFor() throws URISyntaxException {
        Path classes = Path.of(told("pals.tests.classes"));

        assertThat(sourceOf(Locker.class)).isEqualTo(classes);
        if (Files.isRegularFile(classes)) {
            assertThat(sourceOf(PalsSchema.class)).isRegularFile();
        }
    }

    /** Of the generated code too, and where no test calls it. */
    @Test
    void jooq_hasAllThatTheClassesReferTo() {
        JavaClasses classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.pals");
        assertThat(classes.contain(PalsSchema.class)).isTrue();

        Set<String> missing = classes.stream()
                // Only tests have it.
                .filter(type -> !type.getPackageName().equals("dev.pals.db.server"))
                .flatMap(type -> type.getAccessesFromSelf().stream())
                .map(JavaAccess::getTarget)
                .filter(target -> target.getOwner().getPackageName().startsWith("org.jooq"))
                .filter(target -> target.resolveMember().isEmpty())
                .map(AccessTarget::getFullName)
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(missing).isEmpty();
    }

    private static String told(String property) {
        return Objects.requireNonNull(System.getProperty(property), () -> property + " is set by pom.xml");
    }

    private static Path sourceOf(Class<?> type) throws URISyntaxException {
        CodeSource source = Objects.requireNonNull(type.getProtectionDomain().getCodeSource());
        return Path.of(source.getLocation().toURI());
    }
}
