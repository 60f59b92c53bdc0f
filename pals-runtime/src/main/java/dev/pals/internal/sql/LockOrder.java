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
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("A request needs at least one key, and the collection is empty.");
        }
        if (keys.size() == 1) {
            LockKey only = Objects.requireNonNull(keys.iterator().next(), "key");
            if (only.formerly().isEmpty()) {
                return List.of(only);
            }
        }
        NavigableSet<LockKey> all = new TreeSet<>();
        for (LockKey key : keys) {
            all.add(Objects.requireNonNull(key, "key"));
            key.formerly().ifPresent(all::add);
        }
        return List.copyOf(all);
    }
}
