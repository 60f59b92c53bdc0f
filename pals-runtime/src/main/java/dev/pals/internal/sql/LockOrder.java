package dev.pals.internal.sql;

import dev.pals.key.LockKey;
import java.util.Collection;
import java.util.List;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.TreeSet;

/** The keys of one request, as they are taken: in one order everywhere, so that requests do not deadlock. */
public final class LockOrder {
    private LockOrder() {}

    /**
     * Each key once, since PostgreSQL would count it, and with it the one of its {@linkplain LockKey#formerly() former}
     * name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static List<LockKey> of(Collection<LockKey> keys) {
        LockKey[] given = keys.toArray(new LockKey[0]);
        if (given.length == 0) {
            throw new IllegalArgumentException("A request needs at least one key, and the collection is empty.");
        }
        if (given.length == 1
                && Objects.requireNonNull(given[0], "key").formerly().isEmpty()) {
            return List.of(given[0]);
        }
        NavigableSet<LockKey> all = new TreeSet<>();
        for (LockKey key : given) {
            all.add(Objects.requireNonNull(key, "key"));
            key.formerly().ifPresent(all::add);
        }
        return List.copyOf(all);
    }
}
