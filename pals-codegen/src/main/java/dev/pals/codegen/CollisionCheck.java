package dev.pals.codegen;

import dev.pals.codegen.LockEnum.Lock;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import javax.annotation.processing.Messager;

/** Finds constants that PostgreSQL would take for one lock: the same name twice, or two names of the same hash. */
final class CollisionCheck {
    private final ToLongFunction<Lock> hash;
    private final Map<Long, Lock> seen = new HashMap<>();

    /**
     * Makes a check.
     *
     * @param hash the key of a lock; another than its own only in tests, since two names of the same 64-bit hash cannot
     *     be had cheaply
     */
    CollisionCheck(ToLongFunction<Lock> hash) {
        this.hash = hash;
    }

    /**
     * Reports each collision of a round's enums, with each other and with those of earlier rounds, at its later place.
     */
    void check(List<LockEnum> enums, Messager messager) {
        for (Lock lock : (Iterable<Lock>) inOrder(enums)::iterator) {
            Lock first = seen.putIfAbsent(hash.applyAsLong(lock), lock);
            if (first != null) {
                report(first, lock, messager);
            }
        }
    }

    /** An order that does not depend on that of the compiler's arguments. */
    private static Stream<Lock> inOrder(List<LockEnum> enums) {
        return enums.stream()
                .sorted(Comparator.comparing(LockEnum::qualifiedGeneratedName))
                .flatMap(e -> e.locks().stream());
    }

    private static void report(Lock first, Lock second, Messager messager) {
        boolean sameName = first.key().app().equals(second.key().app())
                && first.key().name().equals(second.key().name());
        if (sameName) {
            Diagnostic.DUPLICATE_NAME.report(
                    messager,
                    second.constant(),
                    second.key().name(),
                    second.key().app().orElseThrow(),
                    place(first));
        } else {
            Diagnostic.COLLIDING_HASH.report(messager, second.constant(), second.key(), first.key(), place(first));
        }
    }

    private static String place(Lock lock) {
        return lock.constant().getEnclosingElement() + "." + lock.constantName();
    }
}
