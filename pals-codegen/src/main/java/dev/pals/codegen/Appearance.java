package dev.pals.codegen;

import java.text.Normalizer;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What a reader sees in a name: two names of one appearance are easily taken for each other.
 *
 * @see <a href="https://www.unicode.org/reports/tr15/">Unicode normal forms</a>
 */
final class Appearance {
    /** Format characters, variation selectors, and the fillers that Unicode counts as letters or marks. */
    private static final Pattern INVISIBLE = Pattern.compile("[\\p{Cf}\\u034f\\u115f\\u1160\\u2800\\ufe00-\\ufe0f]");

    private static final Pattern SEPARATORS =
            Pattern.compile("[\\s\\u2212\\p{Z}\\p{Cc}\\p{Pd}\\p{Pc}.\\u00b7/\\\\|,;~]+");

    private static final Pattern AT_ENDS = Pattern.compile("^-|-$");

    private Appearance() {}

    /**
     * The name in compatibility form (NFKC) and lower case, without invisible characters, each run of white space,
     * punctuation and symbols that separate words as one {@code -}, and none at the ends.
     */
    static String of(String name) {
        // Not for ASCII: to load the tables takes longer than all the rest.
        boolean ascii = name.chars().allMatch(c -> c < 128);
        String seen = ascii ? folded(name) : visible(folded(Normalizer.normalize(visible(name), Normalizer.Form.NFKC)));
        return AT_ENDS.matcher(SEPARATORS.matcher(seen).replaceAll("-")).replaceAll("");
    }

    private static String folded(String text) {
        return text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
    }

    private static String visible(String text) {
        return INVISIBLE.matcher(text).replaceAll("");
    }
}
