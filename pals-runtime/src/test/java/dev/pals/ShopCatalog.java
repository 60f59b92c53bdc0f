package dev.pals;

import dev.pals.key.LockCatalog;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import java.util.List;

/** A catalog as the annotation processor generates it; found through {@code META-INF/services}. */
public final class ShopCatalog implements LockCatalog {
    static final LockKey STOCKTAKING = LockKey.of("shop", "stocktaking");
    static final LockFamily<Long> ACCOUNT = LockFamily.byLong("shop", "account");

    /** For the service loader. */
    public ShopCatalog() {}

    @Override
    public List<LockKey> keys() {
        return List.of(STOCKTAKING);
    }

    @Override
    public List<LockFamily<?>> families() {
        return List.of(ACCOUNT);
    }
}
