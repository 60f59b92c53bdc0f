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
 * halves together are a <em>block</em>: two numeric families can meet exactly if they have one block, and so can a
 * family and a plain lock. One pair in 8 million does.
 */
final class CollisionCheck {
    private static final int ID_BITS = 40;

    private final ToLongFunction<LockKey> hash;
    private final List<Problem> problems = new ArrayList<>();
    private final Map<Long, Claim> byHash = new HashMap<>();
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

    /** In an order that does not depend on that of the compiler's arguments. */
    private void addAll(List<LockEnum> enums) {
        enums.stream()
                .sorted(Comparator.comparing(LockEnum::qualifiedName))
                .flatMap(lockEnum -> lockEnum.locks().stream())
                .forEach(lock -> lock.keys().map(key -> new Claim(lock, key)).forEach(this::add));
    }

    private void add(Claim claim) {
        long number = hash.applyAsLong(claim.key);
        Optional<Claim> same = Optional.ofNullable(byHash.putIfAbsent(number, claim));
        Optional<Claim> near = nearby(claim, number);
        Optional<Claim> alike = lookingLike(claim);
        if (same.isPresent()) {
            problems.add(collision(same.get(), claim));
        } else if (near.isPresent()) {
            problems.add(claim.problem(
                    Diagnostic.FAMILY_REACH,
                    claim.key,
                    near.get().key,
                    near.get().lock.place()));
        } else if (alike.isPresent()) {
            problems.add(claim.problem(
                    Diagnostic.LOOK_ALIKE,
                    Escaped.literal(claim.key.toString()),
                    Escaped.literal(alike.get().key.toString()),
                    alike.get().lock.place()));
        }
        if (claim.isTaken()) {
            ForeignKeys.takenOrReached(number, claim.isNumericFamily())
                    .ifPresent(tool -> problems.add(
                            claim.problem(Diagnostic.FOREIGN_KEY, claim.key, tool.toolName(), tool.keys())));
        }
    }

    private static Problem collision(Claim first, Claim second) {
        boolean sameName =
                first.key.app().equals(second.key.app()) && first.key.name().equals(second.key.name());
        return sameName
                ? second.problem(
                        Diagnostic.DUPLICATE_NAME,
                        second.key.name(),
                        second.key.app().orElseThrow(),
                        first.lock.place())
                : second.problem(Diagnostic.COLLIDING_HASH, second.key, first.key, first.lock.place());
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
