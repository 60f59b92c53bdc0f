package dev.pals.codegen;

import dev.pals.codegen.Diagnostic.Problem;
import dev.pals.codegen.LockEnum.Lock;
import dev.pals.key.InvalidLockNameException;
import dev.pals.key.LockApp;
import dev.pals.key.LockKey;
import dev.pals.key.LockName;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.lang.model.element.Element;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.TypeElement;
import javax.lang.model.element.VariableElement;
import javax.lang.model.util.ElementFilter;
import javax.lang.model.util.Elements;

/** Reads {@code @LockApp} enums, from sources and from class files, and finds what is wrong with one by itself. */
final class LockEnumReader {
    private static final String APP_NAME = "app name";
    private static final String LOCK_NAME = "lock name";

    private final Elements elements;
    private final List<Problem> problems = new ArrayList<>();

    LockEnumReader(Elements elements) {
        this.elements = elements;
    }

    /** What was found wrong so far, in the order of the sources. */
    List<Problem> problems() {
        return List.copyOf(problems);
    }

    /** Whether a name or a type in its annotations is not known; the compiler says so itself if it stays unknown. */
    boolean isUnresolved(Element element) {
        return Annotated.isUnresolved(element, LockApp.class)
                || element.getEnclosedElements().stream()
                        .anyMatch(constant -> Annotated.isUnresolved(constant, LockName.class));
    }

    /**
     * Returns the model, without the constants that are in error; empty where not even the application's name is valid.
     */
    Optional<LockEnum> read(Element element) {
        if (element.getKind() != ElementKind.ENUM) {
            problems.add(Diagnostic.NOT_AN_ENUM.at(element, element));
            return Optional.empty();
        }
        TypeElement type = (TypeElement) element;
        Optional<Annotated> app = Annotated.on(type, LockApp.class, elements);
        if (app.isEmpty()
                || !isReachable(type)
                || valid(APP_NAME, app.get(), "value", name -> LockKey.of(name, "any"))
                        .isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(read(type, app.get().text("value")));
    }

    private LockEnum read(TypeElement type, String app) {
        List<VariableElement> constants = ElementFilter.fieldsIn(type.getEnclosedElements()).stream()
                .filter(field -> field.getKind() == ElementKind.ENUM_CONSTANT)
                .toList();
        if (constants.isEmpty()) {
            problems.add(Diagnostic.EMPTY_ENUM.at(type, type));
        }
        List<Lock> locks = constants.stream()
                .flatMap(constant -> readConstant(type, constant, app).stream())
                .toList();
        String packageName = elements.getPackageOf(type).getQualifiedName().toString();
        return new LockEnum(type, packageName, app, locks, locks.size() == constants.size());
    }

    /** Finds {@code @LockName} where no {@code @LockApp} enum would see it. */
    void checkPlaces(Stream<? extends Element> named) {
        Set<Element> owners = new HashSet<>();
        named.forEach(element -> {
            Element owner = Objects.requireNonNull(element.getEnclosingElement());
            if (element.getKind() != ElementKind.ENUM_CONSTANT) {
                problems.add(Diagnostic.MISPLACED_NAME.at(element, element));
            } else if (owners.add(owner) && owner.getAnnotation(LockApp.class) == null) {
                problems.add(Diagnostic.MISSING_APP.at(owner, owner));
            }
        });
    }

    private Optional<Lock> readConstant(TypeElement type, VariableElement constant, String app) {
        Optional<Annotated> annotated = Annotated.on(constant, LockName.class, elements);
        if (annotated.isEmpty()) {
            problems.add(Diagnostic.MISSING_NAME.at(constant, constant));
            return Optional.empty();
        }
        Annotated lockName = annotated.get();
        Optional<LockKey> key = key(lockName, "value", app);
        boolean renamed = !lockName.text("formerly").isEmpty();
        Optional<LockKey> former = renamed ? formerKey(lockName, app) : Optional.empty();
        Optional<IdKind> by = IdKind.of(lockName.text("by"));
        if (by.isEmpty()) {
            problems.add(Diagnostic.UNSUPPORTED_ID.at(lockName, "by", lockName.text("by")));
        }
        if (key.isEmpty() || by.isEmpty() || former.isPresent() != renamed) {
            return Optional.empty();
        }
        String place = type.getQualifiedName() + "." + constant.getSimpleName();
        return Optional.of(new Lock(lockName, place, key.get(), by.get(), former));
    }

    private Optional<LockKey> formerKey(Annotated lockName, String app) {
        String name = lockName.text("value");
        if (lockName.text("formerly").equals(name)) {
            problems.add(Diagnostic.FORMERLY_ITSELF.at(lockName, "formerly", name));
            return Optional.empty();
        }
        return key(lockName, "formerly", app);
    }

    private Optional<LockKey> key(Annotated lockName, String member, String app) {
        return valid(LOCK_NAME, lockName, member, name -> LockKey.of(app, name));
    }

    /** Keys know what a name may be; a name that is declared must be without a colon besides. */
    private Optional<LockKey> valid(
            String what, Annotated annotated, String member, Function<String, LockKey> keyOfName) {
        String name = annotated.text(member);
        LockKey key;
        try {
            key = keyOfName.apply(name);
        } catch (InvalidLockNameException e) {
            problems.add(Diagnostic.INVALID_NAME.at(annotated, member, String.valueOf(e.getMessage())));
            return Optional.empty();
        }
        if (name.indexOf(':') >= 0) {
            problems.add(Diagnostic.COLON_IN_NAME.at(annotated, member, what, name));
            return Optional.empty();
        }
        // A former name cannot be mended any more.
        if (!name.strip().equals(name) && member.equals("value")) {
            String ifInUse =
                    what.equals(LOCK_NAME) ? "; if it is in use, keep it in formerly = \"...\" for a time" : "";
            problems.add(Diagnostic.WHITE_SPACE_AT_ENDS.at(annotated, member, what, name, ifInUse));
        }
        return Optional.of(key);
    }

    private boolean isReachable(TypeElement type) {
        for (Element owner = type; owner instanceof TypeElement; owner = owner.getEnclosingElement()) {
            if (owner.getModifiers().contains(Modifier.PRIVATE)) {
                problems.add(Diagnostic.PRIVATE_ENUM.at(type, type));
                return false;
            }
        }
        return true;
    }
}
