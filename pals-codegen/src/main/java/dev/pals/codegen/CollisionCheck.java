package dev.pals.codegen;

import dev.pals.codegen.Diagnostic.Problem;
import dev.pals.codegen.LockEnum.Lock;
import dev.pals.key.LockKey;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Finds constants that PostgreSQL would take, or could take for some id, for one lock, and those that only a human
 * would take for one.
 *
 * <p>The keys of a numeric family are its own key XOR an id with |id| < 2^40. The upper 24 bits of such an id are all
 * equal, so the family reaches just those numbers whose upper 24 bits are its own, or all the opposite of its own. Both
 * halves together are a <em>block</em>: two numeric families can meet only if they have one block, and so can a family
 * and a plain lock. One pair in 8 million does. Families by {@code Integer} count like those by {@code Long}, so that
 * the type may grow.
 */
final class CollisionCheck {
    private static final int ID_BITS = 40;

    private final ToLongFunction<LockKey> hash;
    private final List<Problem> problems = new ArrayList<>();
    private final Map<String, Claim> byName = new HashMap<>();
    private final Map<Long, Claim> byHash = new HashMap<>();
    private final Map<Long, Claim> byTextHash = new HashMap<>();
    private final Map<Long, Claim> byBlock = new HashMap<>();
    private final Map<Long, Claim> familyByBlock = new HashMap<>();
    private final Map<String, Claim> byAppearance = new HashMap<>();

    private CollisionCheck(ToLongFunction<LockKey> hash) {
        this.hash = hash;
    }

    /** One key that a constant takes: that of its name or that of its former name. */
    private record Claim(Lock lock, LockKey key) {
        boolean isNumericFamily() {
            return lock.by().isNumeric();
        }

        /** Whether this number itself, or one by XOR with it, is taken; texts are hashed together with their family. */
        boolean isTaken() {
            return isNumericFamily() || !lock.by().isFamily();
        }

        boolean isOfSameConstant(Claim other) {
            return lock.place().equals(other.lock.place());
        }

        /** Invisible and easily confused characters are escaped, so that the two do not look the same. */
        Problem problemWith(Claim first, Diagnostic diagnostic) {
            return problem(
                    diagnostic,
                    Escaped.literal(key.toString()),
                    lock.place(),
                    Escaped.literal(first.key.toString()),
                    first.lock.place());
        }

        Problem problem(Diagnostic diagnostic, Object... arguments) {
            return diagnostic.at(lock.lockName(), lock.memberOf(key), arguments);
        }
    }

    /**
     * Returns the problems that the fresh enums have with each other and with the known ones, at the later place.
     *
     * @param hash the key's number; another than its own only in tests, since two names of the same 64-bit hash cannot
     *     be had cheaply
     */
    static List<Problem> check(List<LockEnum> known, List<LockEnum> fresh, ToLongFunction<LockKey> hash) {
        CollisionCheck check = new CollisionCheck(hash);
        check.addAll(known);
        check.problems.clear();
        check.addAll(fresh);
        return check.problems;
    }

    /**
     * Returns the problems that enums of other modules have with each other: two modules that were compiled apart meet
     * here. The places are in the messages, since there are no sources; looks are left to those who can mend them.
     */
    static List<Problem> amongOthers(List<LockEnum> others, ToLongFunction<LockKey> hash) {
        CollisionCheck check = new CollisionCheck(hash);
        check.addAll(others);
        return check.problems.stream()
                .filter(problem -> problem.diagnostic() != Diagnostic.LOOK_ALIKE)
                .toList();
    }

    /** In an order that does not depend on that of the compiler's arguments. */
    private void addAll(List<LockEnum> enums) {
        enums.stream()
                .sorted(Comparator.comparing(LockEnum::qualifiedName))
                .flatMap(lockEnum -> lockEnum.locks().stream())
                .forEach(lock -> lock.keys().map(key -> new Claim(lock, key)).forEach(this::add));
    }

    private void add(Claim claim) {
        long number = hash.applyAsLong(claim.key);
        Optional<Claim> sameName =
                Optional.ofNullable(byName.putIfAbsent(claim.key.app().orElseThrow() + '\0' + claim.key.name(), claim));
        // Texts are hashed together with the name of their family, so families of one hash have all keys in common.
        Map<Long, Claim> hashes = claim.isTaken() ? byHash : byTextHash;
        Optional<Claim> same = Optional.ofNullable(hashes.putIfAbsent(number, claim));
        Optional<Claim> near = nearby(claim, number);
        Optional<Claim> alike = lookingLike(claim);
        if (sameName.isPresent()) {
            problems.add(claim.problem(
                    Diagnostic.DUPLICATE_NAME,
                    claim.key.name(),
                    claim.key.app().orElseThrow(),
                    claim.lock.place(),
                    sameName.get().lock.place()));
        } else if (same.isPresent()) {
            problems.add(claim.problemWith(same.get(), Diagnostic.COLLIDING_HASH));
        } else if (near.isPresent()) {
            problems.add(claim.problemWith(near.get(), Diagnostic.FAMILY_REACH));
        } else if (alike.isPresent()) {
            problems.add(claim.problemWith(alike.get(), Diagnostic.LOOK_ALIKE));
        }
        if (claim.isTaken()) {
            ForeignKeys.takenOrReached(number, claim.isNumericFamily())
                    .ifPresent(tool -> problems.add(claim.problem(
                            Diagnostic.FOREIGN_KEY, claim.key, claim.lock.place(), tool.toolName(), tool.keys())));
        }
    }

    private Optional<Claim> nearby(Claim claim, long number) {
        if (!claim.isTaken()) {
            return Optional.empty();
        }
        long block = block(number);
        Claim family = familyByBlock.get(block);
        Claim any = byBlock.putIfAbsent(block, claim);
        @Nullable Claim near = claim.isNumericFamily() ? any : family;
        if (claim.isNumericFamily()) {
            familyByBlock.putIfAbsent(block, claim);
        }
        return Optional.ofNullable(near);
    }

    /** The upper 24 bits, where all-opposite bits count as the same. */
    static long block(long number) {
        long upper = number >> ID_BITS;
        return upper >= 0 ? upper : ~upper;
    }

    /** Former names are left out: to mend a name that is easily confused is a good reason to rename a lock. */
    private Optional<Claim> lookingLike(Claim claim) {
        if (!claim.key.equals(claim.lock.key())) {
            return Optional.empty();
        }
        return Optional.ofNullable(byAppearance.putIfAbsent(Appearance.of(claim.key.toString()), claim))
                .filter(other -> !other.isOfSameConstant(claim));
    }
}
