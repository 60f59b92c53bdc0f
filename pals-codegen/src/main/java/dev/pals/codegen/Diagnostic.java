package dev.pals.codegen;

import java.util.Locale;
import javax.annotation.processing.Messager;
import javax.lang.model.element.AnnotationMirror;
import javax.lang.model.element.AnnotationValue;
import javax.lang.model.element.Element;
import javax.tools.Diagnostic.Kind;
import org.jspecify.annotations.Nullable;

/** Everything that the processor can find wrong, each with its id and the way to mend it. */
enum Diagnostic {
    NOT_AN_ENUM("PalsNotAnEnum", "@LockApp stands on %s, which is no enum. Move it to an enum of lock names."),
    MISSING_APP(
            "PalsMissingApp",
            "%s has a @LockName, but stands in no @LockApp enum. Make it a constant of an enum with @LockApp(\"your-app\")."),
    MISSING_NAME(
            "PalsMissingName",
            "The constant %s of a @LockApp enum has no @LockName. Add @LockName(\"...\"): a name is always written out, since"
                    + " it decides the lock."),
    INVALID_NAME("PalsInvalidName", "%s"),
    COLON_IN_NAME(
            "PalsColonInName",
            "The lock name \"%s\" has a ':', which separates a family's name from an id. Use another separator."),
    UNSUPPORTED_ID("PalsUnsupportedId", "A lock family cannot be by %s. Use Long.class."),
    DUPLICATE_NAME(
            "PalsDuplicateName",
            "The lock name \"%s\" of app \"%s\" is already that of %s. Two constants of one name are one lock: rename or remove"
                    + " one."),
    NOT_WRITTEN("PalsNotWritten", "The lock keys of %s could not be written: %s."),
    COLLIDING_HASH(
            "PalsCollidingHash",
            "\"%s\" has the same 64-bit key as \"%s\" (%s): PostgreSQL would take them for one lock. Rename one.");

    private final String id;
    private final String text;

    Diagnostic(String id, String text) {
        this.id = id;
        this.text = text;
    }

    void report(Messager messager, Element element, Object... arguments) {
        report(messager, element, null, null, arguments);
    }

    void report(
            Messager messager,
            Element element,
            @Nullable AnnotationMirror annotation,
            @Nullable AnnotationValue value,
            Object... arguments) {
        messager.printMessage(
                Kind.ERROR, "[" + id + "] " + String.format(Locale.ROOT, text, arguments), element, annotation, value);
    }
}
