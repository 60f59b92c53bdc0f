package dev.pals.codegen;

import dev.pals.codegen.Diagnostic.Problem;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the build says with {@code -Apals...}.
 *
 * @param baseline the file that the keys are compared with; empty for no comparison
 * @param update whether the baseline is written instead of compared
 */
record Options(Optional<Path> baseline, boolean update, List<Problem> problems) {
    private static final String PREFIX = "pals.";
    static final String BASELINE = "pals.baseline";
    static final String BASELINE_UPDATE = "pals.baseline.update";
    static final Set<String> NAMES = Set.of(BASELINE, BASELINE_UPDATE);

    static Options of(Map<String, String> options) {
        List<Problem> problems = new ArrayList<>();
        options.keySet().stream()
                .filter(name -> name.startsWith(PREFIX) && !NAMES.contains(name))
                .sorted()
                .forEach(name -> problems.add(Diagnostic.BAD_OPTION.nowhere(
                        name, "unknown; there are " + BASELINE + " and " + BASELINE_UPDATE)));
        String update = options.getOrDefault(BASELINE_UPDATE, "false");
        if (!update.equals("true") && !update.equals("false")) {
            problems.add(
                    Diagnostic.BAD_OPTION.nowhere(BASELINE_UPDATE, "neither true nor false, but \"" + update + "\""));
        }
        Optional<Path> baseline = path(options, problems);
        if (update.equals("true") && baseline.isEmpty()) {
            problems.add(Diagnostic.BAD_OPTION.nowhere(BASELINE_UPDATE, "of no use without " + BASELINE));
        }
        return new Options(baseline, update.equals("true"), problems);
    }

    private static Optional<Path> path(Map<String, String> options, List<Problem> problems) {
        // -Apals.baseline without a value is null.
        String file = options.containsKey(BASELINE) ? String.valueOf(options.get(BASELINE)) : "";
        try {
            if (options.containsKey(BASELINE) && (file.isBlank() || file.equals("null"))) {
                problems.add(Diagnostic.BAD_OPTION.nowhere(BASELINE, "empty: give a file"));
                return Optional.empty();
            }
            return Optional.of(file).filter(name -> !name.isEmpty()).map(Path::of);
        } catch (InvalidPathException e) {
            problems.add(Diagnostic.BAD_OPTION.nowhere(BASELINE, "no file name: " + e.getMessage()));
            return Optional.empty();
        }
    }
}
