package dev.pals.codegen;

import dev.pals.codegen.Diagnostic.Problem;
import dev.pals.key.LockApp;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.ProcessingEnvironment;
import javax.annotation.processing.RoundEnvironment;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.TypeElement;
import javax.tools.Diagnostic.Kind;

/**
 * Compares the lock keys with those of a committed file, where the option {@code pals.baseline} names one, so that no
 * release renames a lock unnoticed. With {@code pals.baseline.update=true} it writes the file instead. It is a
 * processor of its own, since it must run also when the last annotated enum of a module is gone.
 */
public final class BaselineProcessor extends AbstractProcessor {
    private Options options = new Options(Optional.empty(), false, List.of());
    private final Set<String> enumNames = new TreeSet<>();

    /** Called by the compiler. */
    public BaselineProcessor() {}

    @Override
    public synchronized void init(ProcessingEnvironment env) {
        super.init(env);
        options = Options.of(env.getOptions());
    }

    @Override
    public Set<String> getSupportedOptions() {
        return Options.NAMES;
    }

    /** Every file of the compilation, or none where there is no baseline. */
    @Override
    public Set<String> getSupportedAnnotationTypes() {
        return options.baseline().isPresent() ? Set.of("*") : Set.of();
    }

    @Override
    public SourceVersion getSupportedSourceVersion() {
        return SourceVersion.latestSupported();
    }

    @Override
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
        round.getElementsAnnotatedWith(LockApp.class).stream()
                .filter(element -> element.getKind() == ElementKind.ENUM)
                .forEach(element ->
                        enumNames.add(((TypeElement) element).getQualifiedName().toString()));
        // An enum with errors lacks constants: mended first, compared then.
        if (round.processingOver() && !round.errorRaised()) {
            options.baseline().ifPresent(this::compareOrWrite);
        }
        return false;
    }

    private void compareOrWrite(Path file) {
        try {
            if (options.update()) {
                write(file);
            } else {
                compare(Baseline.read(file), file);
            }
        } catch (Baseline.UnreadableException e) {
            Diagnostic.BASELINE_UNREADABLE
                    .nowhere(file, String.valueOf(e.getMessage()))
                    .report(processingEnv.getMessager());
        } catch (IOException e) {
            Diagnostic.NOT_WRITTEN.nowhere("The baseline " + file, e).report(processingEnv.getMessager());
        }
    }

    private void write(Path file) throws IOException {
        Baseline baseline = Baseline.of(read(withThoseOf(known(file))));
        baseline.write(file);
        processingEnv
                .getMessager()
                .printMessage(Kind.NOTE, baseline.entries().size() + " lock keys written to " + file);
    }

    /** What is to be replaced; it may be missing or damaged. */
    private static Baseline known(Path file) {
        try {
            return Baseline.read(file);
        } catch (Baseline.UnreadableException e) {
            return new Baseline(List.of());
        }
    }

    private void compare(Baseline baseline, Path file) {
        List<Problem> problems = new BaselineCheck(file, read(withThoseOf(baseline))).compareWith(baseline);
        problems.forEach(problem -> problem.report(processingEnv.getMessager()));
    }

    /** The enums of this compilation, and those that it did not read since they have not changed or were moved. */
    private Set<String> withThoseOf(Baseline baseline) {
        Set<String> names = new TreeSet<>(enumNames);
        baseline.entries().forEach(entry -> names.add(entry.enumName()));
        return names;
    }

    /** Anew, since the compiler forgets where the elements of earlier rounds stand. */
    private List<LockEnum> read(Collection<String> names) {
        LockEnumReader reader = new LockEnumReader(processingEnv.getElementUtils());
        List<LockEnum> enums = new ArrayList<>();
        names.stream()
                .flatMap(name ->
                        Stream.ofNullable(processingEnv.getElementUtils().getTypeElement(name)))
                .filter(type -> type.getAnnotation(LockApp.class) != null)
                .forEach(type -> reader.read(type).ifPresent(enums::add));
        return enums;
    }
}
