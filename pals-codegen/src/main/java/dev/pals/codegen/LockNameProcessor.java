package dev.pals.codegen;

import dev.pals.codegen.LockEnum.Lock;
import dev.pals.key.LockApp;
import dev.pals.key.LockName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.ToLongFunction;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.TypeElement;

/**
 * Generates, for each enum with {@link LockApp}, a class of typed lock keys named after it: {@code BillingLockKeys} for
 * {@code BillingLock}. A duplicate name and a colliding hash are compile errors. It only wires; see the reader, the
 * check and the writer.
 */
public final class LockNameProcessor extends AbstractProcessor {
    private final CollisionCheck collisions;
    private final List<LockEnum> enums = new ArrayList<>();

    /** Called by the compiler. */
    public LockNameProcessor() {
        this(lock -> lock.key().lockHash());
    }

    LockNameProcessor(ToLongFunction<Lock> hash) {
        this.collisions = new CollisionCheck(hash);
    }

    @Override
    public Set<String> getSupportedAnnotationTypes() {
        return Set.of(LockApp.class.getCanonicalName(), LockName.class.getCanonicalName());
    }

    @Override
    public SourceVersion getSupportedSourceVersion() {
        return SourceVersion.latestSupported();
    }

    @Override
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
        LockEnumReader reader = new LockEnumReader(processingEnv);
        round.getElementsAnnotatedWith(LockName.class).forEach(reader::checkPlace);
        List<LockEnum> read = round.getElementsAnnotatedWith(LockApp.class).stream()
                .flatMap(element -> reader.read(element).stream())
                .toList();
        enums.addAll(read);
        collisions.check(read, processingEnv.getMessager());
        write(read, round.processingOver());
        return false;
    }

    private void write(List<LockEnum> read, boolean last) {
        KeysWriter writer = new KeysWriter(processingEnv.getFiler());
        read.forEach(lockEnum -> reporting(lockEnum, () -> writer.write(lockEnum)));
        if (last && !enums.isEmpty()) {
            reporting(enums.get(0), () -> writer.writeServices(enums));
        }
    }

    private void reporting(LockEnum lockEnum, Output output) {
        try {
            output.write();
        } catch (IOException e) {
            Diagnostic.NOT_WRITTEN.report(
                    processingEnv.getMessager(), lockEnum.type(), lockEnum.type(), String.valueOf(e.getMessage()));
        }
    }

    /** A file to write. */
    private interface Output {
        void write() throws IOException;
    }
}
