package dev.pals.codegen;

import java.util.Locale;
import javax.annotation.processing.Messager;
import javax.lang.model.element.AnnotationMirror;
import javax.lang.model.element.AnnotationValue;
import javax.lang.model.element.Element;
import javax.tools.Diagnostic.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the processors can find wrong, each with its id and the way to mend it. {@code docs/errors.md} has a
 * heading for each id, with an example.
 */
enum Diagnostic {
    NOT_AN_ENUM("PalsNotAnEnum", "@LockApp stands on %s, which is no enum. Move it to an enum of lock names."),
    MISSING_APP(
            "PalsMissingApp", "%s has @LockName constants, but no @LockApp. Add @LockApp(\"your-app\") to the enum."),
    MISPLACED_NAME(
            "PalsMisplacedName",
            "@LockName stands on %s, which is no enum constant. Move it to a constant of a @LockApp enum."),
    MISSING_NAME(
            "PalsMissingName",
            "The constant %s of a @LockApp enum has no @LockName. Add @LockName(\"...\"): a name is always written out, since"
                    + " it decides the lock."),
    PRIVATE_ENUM(
            "PalsPrivateEnum",
            "%s is private, or stands in something private, so its keys class could not refer to it. Make it at least"
                    + " package-private."),
    EMPTY_ENUM(
            Kind.WARNING,
            "PalsEmptyEnum",
            "%s has no constants, so it declares no lock. Add a constant with @LockName, or remove the enum."),
    INVALID_NAME("PalsInvalidName", "%s"),
    COLON_IN_NAME(
            "PalsColonInName",
            "The %s \"%s\" has a ':', which separates a family's name from an id. Use another separator."),
    WHITE_SPACE_AT_ENDS(
            Kind.WARNING,
            "PalsWhiteSpaceAtEnds",
            "The %s \"%s\" begins or ends with white space, which belongs to the name and which nobody sees. Remove it%s."),
    UNSUPPORTED_ID(
            "PalsUnsupportedId",
            "A lock family cannot be by %s. Use Long.class, Integer.class, String.class or UUID.class."),
    FORMERLY_ITSELF(
            "PalsFormerlyItself",
            "The lock \"%s\" was never renamed: formerly is the same name. Remove formerly, or give the old name."),
    DUPLICATE_NAME(
            "PalsDuplicateName",
            "The lock name \"%s\" of app \"%s\" at %s is already that of %s. Two constants of one name are one lock: rename or remove"
                    + " one."),
    COLLIDING_HASH(
            "PalsCollidingHash",
            "\"%s\" (%s) has the same 64-bit key as \"%s\" (%s): PostgreSQL would take them for one lock. Rename one."),
    FAMILY_REACH(
            "PalsFamilyReach",
            "\"%s\" (%s) and \"%s\" (%s) could meet in one 64-bit key: some id of a numeric family would give the other's key."
                    + " Rename one."),
    FOREIGN_KEY(
            "PalsForeignKey",
            "\"%s\" (%s) has, or could reach, a key that %s takes on PostgreSQL (%s). Rename it, or the two would block each"
                    + " other."),
    LOOK_ALIKE(
            "PalsLookAlike",
            "\"%s\" (%s) looks like \"%s\" (%s), but is another lock: they differ only in case, in separators, in white space, in"
                    + " invisible characters or in how Unicode writes a character. Use one name for one lock, or make the"
                    + " difference plain."),
    BAD_OPTION("PalsBadOption", "The processor option %s is %s. The README shows how to set it."),
    BASELINE_UNREADABLE(
            "PalsBaselineUnreadable",
            "The baseline %s cannot be used: %s. Restore the file from version control, or " + Text.WRITE_IT_ANEW
                    + "."),
    BASELINE_NEW(
            Kind.WARNING,
            "PalsBaselineNew",
            "The lock \"%s\" is not in the baseline %s, so a renaming of it would not be noticed. Please "
                    + Text.WRITE_IT_ANEW + ", and commit it."),
    BASELINE_CHANGED(
            "PalsBaselineChanged",
            "The lock \"%s\" of %s (%s) is now \"%s\" (%s), which is another lock: programs of the old and the new version"
                    + " would both run. Restore it, or %s. Where no program of the old version runs any more, "
                    + Text.WRITE_IT_ANEW + "."),
    BASELINE_VANISHED(
            "PalsBaselineVanished",
            "The lock \"%s\" of %s is in the baseline %s, but no constant declares it any more. Restore it; if it was"
                    + " renamed, add formerly = \"%s\" to the constant with the new name. Where nothing takes it any more, "
                    + Text.WRITE_IT_ANEW + "."),
    NOT_WRITTEN(
            "PalsNotWritten",
            "%s could not be written: %s. Check that the output directory is writable, and that no class of that name"
                    + " exists.");

    private final Kind kind;
    private final String id;
    private final String text;

    Diagnostic(String id, String text) {
        this(Kind.ERROR, id, text);
    }

    Diagnostic(Kind kind, String id, String text) {
        this.kind = kind;
        this.id = id;
        this.text = text;
    }

    /** What stands in the brackets of its messages. */
    String id() {
        return id;
    }

    Problem at(Element element, Object... arguments) {
        return new Problem(this, element, null, null, message(arguments));
    }

    /** At no place in the sources. */
    Problem nowhere(Object... arguments) {
        return new Problem(this, null, null, null, message(arguments));
    }

    /** At one value of an annotation. */
    Problem at(Annotated annotated, String member, Object... arguments) {
        return new Problem(this, annotated.element(), annotated.mirror(), annotated.value(member), message(arguments));
    }

    private String message(Object... arguments) {
        return "[" + id + "] " + String.format(Locale.ROOT, text, arguments);
    }

    /** One finding at its place. */
    record Problem(
            Diagnostic diagnostic,
            @Nullable Element element,
            @Nullable AnnotationMirror annotation,
            @Nullable AnnotationValue value,
            String message) {

        void report(Messager messager) {
            messager.printMessage(diagnostic.kind, message, element, annotation, value);
        }
    }

    private static final class Text {
        static final String WRITE_IT_ANEW = "write the baseline anew in a clean build with -Apals.baseline.update=true";
    }
}
