package dev.pals.codegen;

import dev.pals.codegen.Baseline.Entry;
import dev.pals.codegen.Diagnostic.Problem;
import dev.pals.codegen.LockEnum.Lock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.lang.model.element.Element;
import org.jspecify.annotations.Nullable;

/** Finds keys that changed, vanished or are new against the baseline. */
final class BaselineCheck {
    private final Path file;
    private final Map<String, Declared> byName = new LinkedHashMap<>();
    private final Map<String, List<Declared>> byPlace = new LinkedHashMap<>();
    private final Map<String, Element> enums = new LinkedHashMap<>();

    /** A key as it is declared now. */
    private record Declared(Lock lock, Entry entry) {}

    BaselineCheck(Path file, List<LockEnum> current) {
        this.file = file;
        for (LockEnum lockEnum : current) {
            enums.put(Escaped.identifier(lockEnum.qualifiedName()), lockEnum.type());
            for (Lock lock : lockEnum.locks()) {
                lock.keys().map(key -> new Declared(lock, Entry.of(lock, key))).forEach(declared -> {
                    byName.putIfAbsent(declared.entry.fullName(), declared);
                    byPlace.computeIfAbsent(declared.entry.place(), place -> new ArrayList<>())
                            .add(declared);
                });
            }
        }
    }

    List<Problem> compareWith(Baseline baseline) {
        List<Problem> problems = new ArrayList<>();
        Set<String> accounted = new HashSet<>();
        for (Entry old : baseline.entries()) {
            Optional<Declared> now = Optional.ofNullable(successorOf(old));
            now.ifPresent(declared -> accounted.add(declared.entry.fullName()));
            if (now.isEmpty()) {
                problems.add(vanished(old));
            } else if (!now.get().entry.isOfSameKey(old)) {
                problems.add(changed(old, now.get()));
            }
        }
        byName.values().stream()
                .filter(declared -> !accounted.contains(declared.entry.fullName()))
                .forEach(declared -> problems.add(Diagnostic.BASELINE_NEW.at(
                        declared.lock.lockName(), "value", declared.entry.fullName(), file)));
        return problems;
    }

    /**
     * What the old key's constant declares now; where the constant is gone, what has the old name. That another
     * constant has taken over the name does not make the first one's lock the same.
     */
    private @Nullable Declared successorOf(Entry old) {
        List<Declared> there = byPlace.getOrDefault(old.place(), List.of());
        return there.stream()
                .filter(declared -> declared.entry.isOfSameKey(old))
                .findFirst()
                .or(() -> there.stream().findFirst())
                .orElse(byName.get(old.fullName()));
    }

    private Problem vanished(Entry old) {
        Object[] arguments = {old.fullName(), old.place(), file, old.name()};
        return Optional.ofNullable(enums.get(old.enumName()))
                .map(type -> Diagnostic.BASELINE_VANISHED.at(type, arguments))
                .orElseGet(() -> Diagnostic.BASELINE_VANISHED.nowhere(arguments));
    }

    private static Problem changed(Entry old, Declared now) {
        boolean sameKind = old.kind().equals(now.entry.kind());
        boolean renamed = sameKind && old.app().equals(now.entry.app());
        return Diagnostic.BASELINE_CHANGED.at(
                now.lock.lockName(),
                sameKind ? "value" : "by",
                old.fullName(),
                old.place(),
                old.kind(),
                now.entry.fullName(),
                now.entry.kind(),
                renamed
                        ? "add formerly = \"" + old.name() + "\""
                        : "declare the new lock in a constant and under a name of its own, beside the old one");
    }
}
