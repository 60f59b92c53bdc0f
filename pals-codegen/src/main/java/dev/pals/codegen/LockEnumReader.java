package dev.pals.codegen;

import dev.pals.key.InvalidLockNameException;
import dev.pals.key.LockApp;
import dev.pals.key.LockKey;
import dev.pals.key.LockName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import javax.annotation.processing.ProcessingEnvironment;
import javax.lang.model.element.AnnotationMirror;
import javax.lang.model.element.AnnotationValue;
import javax.lang.model.element.Element;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.TypeElement;
import javax.lang.model.element.VariableElement;
import javax.lang.model.util.ElementFilter;
import org.jspecify.annotations.Nullable;

/** Reads {@code @LockApp} enums, and reports what is wrong with one enum by itself. */
final class LockEnumReader {
    private final ProcessingEnvironment env;

    LockEnumReader(ProcessingEnvironment env) {
        this.env = env;
    }

    /**
     * Returns the model, without the constants that are in error; empty where not even the application's name is valid.
     */
    Optional<LockEnum> read(Element element) {
        if (element.getKind() != ElementKind.ENUM) {
            Diagnostic.NOT_AN_ENUM.report(env.getMessager(), element, element);
            return Optional.empty();
        }
        TypeElement type = (TypeElement) element;
        Annotated app = Annotated.on(type, LockApp.class, env);
        if (app == null || !isValid(type, app, () -> LockKey.of(app.text("value"), "any"))) {
            return Optional.empty();
        }
        List<LockEnum.Lock> locks = new ArrayList<>();
        for (VariableElement field : ElementFilter.fieldsIn(type.getEnclosedElements())) {
            if (field.getKind() == ElementKind.ENUM_CONSTANT) {
                readConstant(field, app.text("value")).ifPresent(locks::add);
            }
        }
        String packageName =
                env.getElementUtils().getPackageOf(type).getQualifiedName().toString();
        return Optional.of(new LockEnum(type, packageName, app.text("value"), List.copyOf(locks)));
    }

    /** Reports {@code @LockName} where no {@code @LockApp} enum would see it. */
    void checkPlace(Element element) {
        Element owner = element.getEnclosingElement();
        if (element.getKind() != ElementKind.ENUM_CONSTANT
                || owner == null
                || owner.getAnnotation(LockApp.class) == null) {
            Diagnostic.MISSING_APP.report(env.getMessager(), element, element);
        }
    }

    private Optional<LockEnum.Lock> readConstant(VariableElement constant, String app) {
        Annotated lockName = Annotated.on(constant, LockName.class, env);
        if (lockName == null) {
            Diagnostic.MISSING_NAME.report(env.getMessager(), constant, constant);
            return Optional.empty();
        }
        String name = lockName.text("value");
        String by = lockName.value("by").toString();
        if (!isValid(constant, lockName, () -> LockKey.of(name))) {
            return Optional.empty();
        }
        if (name.indexOf(':') >= 0) {
            report(Diagnostic.COLON_IN_NAME, constant, lockName, "value", name);
            return Optional.empty();
        }
        if (!by.equals("void.class") && !by.equals("java.lang.Long.class")) {
            report(Diagnostic.UNSUPPORTED_ID, constant, lockName, "by", by);
            return Optional.empty();
        }
        return Optional.of(new LockEnum.Lock(constant, LockKey.of(app, name), !by.equals("void.class")));
    }

    private boolean isValid(Element element, Annotated annotation, Supplier<LockKey> check) {
        try {
            return check.get() != null;
        } catch (InvalidLockNameException e) {
            report(Diagnostic.INVALID_NAME, element, annotation, "value", String.valueOf(e.getMessage()));
            return false;
        }
    }

    private void report(Diagnostic diagnostic, Element element, Annotated annotation, String value, Object argument) {
        diagnostic.report(env.getMessager(), element, annotation.mirror, annotation.value(value), argument);
    }

    /** An annotation as the compiler sees it, so that a message can stand at one of its values. */
    private record Annotated(AnnotationMirror mirror, ProcessingEnvironment env) {

        static @Nullable Annotated on(Element element, Class<?> annotation, ProcessingEnvironment env) {
            for (AnnotationMirror mirror : element.getAnnotationMirrors()) {
                TypeElement type = (TypeElement) mirror.getAnnotationType().asElement();
                if (type.getQualifiedName().contentEquals(annotation.getCanonicalName())) {
                    return new Annotated(mirror, env);
                }
            }
            return null;
        }

        AnnotationValue value(String member) {
            return env.getElementUtils().getElementValuesWithDefaults(mirror).entrySet().stream()
                    .filter(entry -> entry.getKey().getSimpleName().contentEquals(member))
                    .findFirst()
                    .orElseThrow()
                    .getValue();
        }

        String text(String member) {
            return String.valueOf(value(member).getValue());
        }
    }
}
