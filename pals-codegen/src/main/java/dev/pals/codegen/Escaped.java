package dev.pals.codegen;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Texts as parts of Java sources. All of them come out as plain ASCII, so that no source encoding can change a name,
 * and with the digits 0 to 9 whatever the compiler's locale.
 */
final class Escaped {
    private static final String PLAIN = "-_. ";
    private static final String JAVADOC_SAFE = " -_.,;:!?/+=()[]'\"";

    private Escaped() {}

    /** Most names are, and a compilation has thousands. */
    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && PLAIN.indexOf(c) < 0) {
                return false;
            }
        }
        return true;
    }

    /** Between the quotes of a string literal. */
    static String literal(String text) {
        if (isPlain(text)) {
            return text;
        }
        StringBuilder out = new StringBuilder();
        text.chars().forEach(c -> {
            if (c == '"' || c == '\\') {
                out.append('\\').append((char) c);
            } else if (c < ' ') {
                out.append(String.format(Locale.ROOT, "\\%03o", c));
            } else {
                out.append(unicode(c));
            }
        });
        return out.toString();
    }

    /** An identifier or a qualified name. */
    static String identifier(String name) {
        if (isPlain(name)) {
            return name;
        }
        StringBuilder out = new StringBuilder();
        name.chars().forEach(c -> out.append(unicode(c)));
        return out.toString();
    }

    /** The name that {@link #identifier} has escaped. */
    static String identifierRead(String escaped) {
        return Pattern.compile("\\\\u([0-9a-f]{4})")
                .matcher(escaped)
                .replaceAll(match -> Character.toString(Integer.parseInt(match.group(1), 16)));
    }

    private static String unicode(int c) {
        return c > '~' ? String.format(Locale.ROOT, "\\u%04x", c) : Character.toString(c);
    }

    /** In a documentation comment, where neither markup nor the end of the comment may come from a name. */
    static String javadoc(String text) {
        if (isPlain(text)) {
            return text;
        }
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            boolean asciiLetterOrDigit = c < 128 && Character.isLetterOrDigit(c);
            if (asciiLetterOrDigit || JAVADOC_SAFE.indexOf(c) >= 0) {
                out.appendCodePoint(c);
            } else if (Character.isISOControl(c)) {
                out.append(String.format(Locale.ROOT, "U+%04X", c));
            } else {
                out.append("&#").append(Integer.toString(c)).append(';');
            }
        });
        return out.toString();
    }
}
