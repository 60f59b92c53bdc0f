package dev.pals.codegen;

import dev.pals.codegen.Diagnostic.Problem;
import dev.pals.key.LockApp;
import dev.pals.key.LockKey;
import dev.pals.key.LockName;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.Element;
import javax.lang.model.element.TypeElement;
import javax.lang.model.util.Elements;

/**
 * Generates, for each enum with {@link LockApp}, a class of typed lock keys named after it: {@code BillingLockKeys} for
 * {@code BillingLock}, and refuses names that would collide. It only wires; see the reader, the checks and the writer.
 */
public final class LockNameProcessor extends AbstractProcessor {
    private final ToLongFunction<LockKey> hash;
    private final List<LockEnum> enums = new ArrayList<>();
    /** Enums whose names come from constants that are not there yet; looked at again in the next round. */
    private final Set<String> deferred = new TreeSet<>();

    private boolean started;

    /** Called by the compiler. */
    public LockNameProcessor() {
        this(LockKey::lockHash);
    }

    LockNameProcessor(ToLongFunction<LockKey> hash) {
        this.hash = hash;
    }

    @Override
    public Set<String> getSupportedAnnotationTypes() {
        return Set.of(LockApp.class.getCanonicalName(), LockName.class.getCanonicalName());
    }

    @Override
    public Set<String> getSupportedOptions() {
        return Options.NAMES;
    }

    @Override
    public SourceVersion getSupportedSourceVersion() {
        return SourceVersion.latestSupported();
    }

    /**
     * Claims the annotations, so that this processor, when it is twice on the path, does its work once; but not while
     * it waits for what another processor may generate, which the compiler might otherwise not ask.
     */
    @Override
    @SuppressWarnings(
            "DoNotClaimAnnotations") // They are ours alone, and javac's -Xlint:processing asks who claims them.
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
        if (!started) {
            started = true;
            report(Options.of(processingEnv.getOptions()).problems());
        }
        LockEnumReader reader = new LockEnumReader(processingEnv.getElementUtils());
        reader.checkPlaces(round.getElementsAnnotatedWith(LockName.class).stream());
        List<LockEnum> fresh = toRead(round, reader)
                .flatMap(element -> reader.read(element).stream())
                .toList();
        report(reader.problems());
        if (!fresh.isEmpty()) {
            checkAndWrite(fresh);
        }
        if (round.processingOver() && !enums.isEmpty()) {
            GeneratedFiles files = new GeneratedFiles(processingEnv);
            files.writeServices(enums);
            report(files.problems());
        }
        return deferred.isEmpty();
    }

    /** The enums of this round and those that were deferred before, without those that are deferred now. */
    private Stream<? extends Element> toRead(RoundEnvironment round, LockEnumReader reader) {
        Elements elements = processingEnv.getElementUtils();
        List<Element> candidates = new ArrayList<>(round.getElementsAnnotatedWith(LockApp.class));
        deferred.stream()
                .flatMap(name -> Stream.ofNullable(elements.getTypeElement(name)))
                .forEach(candidates::add);
        deferred.clear();
        List<Element> ready = new ArrayList<>();
        for (Element candidate : candidates) {
            if (candidate instanceof TypeElement type && reader.isUnresolved(type)) {
                deferred.add(type.getQualifiedName().toString());
            } else {
                ready.add(candidate);
            }
        }
        return ready.stream();
    }

    private void checkAndWrite(List<LockEnum> fresh) {
        boolean first = enums.isEmpty();
        List<LockEnum> earlier = List.copyOf(enums);
        enums.addAll(fresh);
        List<LockEnum> others = new CatalogIndex(processingEnv.getElementUtils())
                .othersThan(enums.stream().map(LockEnum::qualifiedName).collect(Collectors.toSet()));
        if (first) {
            // Two modules that were compiled apart from each other meet here.
            report(CollisionCheck.amongOthers(others, hash));
        }
        List<LockEnum> known = new ArrayList<>(others);
        known.addAll(earlier);
        report(CollisionCheck.check(known, fresh, hash));
        GeneratedFiles files = new GeneratedFiles(processingEnv);
        fresh.forEach(files::writeKeysOf);
        files.writeIndexEntryOf(fresh);
        report(files.problems());
    }

    private void report(List<Problem> problems) {
        problems.forEach(problem -> problem.report(processingEnv.getMessager()));
    }
}
