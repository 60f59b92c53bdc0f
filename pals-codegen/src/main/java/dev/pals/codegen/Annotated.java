package dev.pals.codegen;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import javax.lang.model.element.AnnotationMirror;
import javax.lang.model.element.AnnotationValue;
import javax.lang.model.element.Element;
import javax.lang.model.element.TypeElement;
import javax.lang.model.util.Elements;
import org.jspecify.annotations.Nullable;

/** An annotation as the compiler sees it, so that a message can stand at one of its values. */
record Annotated(Element element, AnnotationMirror mirror, Map<String, AnnotationValue> values) {

    static Optional<Annotated> on(Element element, Class<?> annotation, Elements elements) {
        return Optional.ofNullable(mirror(element, annotation))
                .map(mirror -> new Annotated(element, mirror, values(mirror, elements)));
    }

    /** A loop, as a compilation asks for thousands and is over before streams get fast. */
    private static @Nullable AnnotationMirror mirror(Element element, Class<?> annotation) {
        for (AnnotationMirror mirror : element.getAnnotationMirrors()) {
            TypeElement type = (TypeElement) mirror.getAnnotationType().asElement();
            if (type.getQualifiedName().contentEquals(annotation.getName())) {
                return mirror;
            }
        }
        return null;
    }

    private static Map<String, AnnotationValue> values(AnnotationMirror mirror, Elements elements) {
        Map<String, AnnotationValue> values = new HashMap<>();
        elements.getElementValuesWithDefaults(mirror)
                .forEach((method, value) -> values.put(method.getSimpleName().toString(), value));
        return values;
    }

    /**
     * Whether an annotation refers to something that is not there, or not yet: another processor may generate it. javac
     * gives such a value as this text, and real text in quotes.
     */
    static boolean isUnresolved(Element element, Class<?> annotation) {
        AnnotationMirror mirror = mirror(element, annotation);
        return mirror != null
                && mirror.getElementValues().values().stream()
                        .anyMatch(value -> value.getValue().equals("<error>")
                                && value.toString().equals("<error>"));
    }

    AnnotationValue value(String member) {
        return Objects.requireNonNull(values.get(member), member);
    }

    String text(String member) {
        return String.valueOf(value(member).getValue());
    }
}
