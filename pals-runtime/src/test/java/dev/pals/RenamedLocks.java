package dev.pals;

import dev.pals.key.GeneratedLocks;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;

/** Locks with former names, as they are generated: this module has no annotation processor. */
final class RenamedLocks {
    private static final LockKey OLD = LockKey.of("renamed", "invoice-run");
    private static final LockKey NEW = LockKey.of("renamed", "invoice-close");
    private static final LockFamily<Long> OLD_ACCOUNT = LockFamily.byLong("renamed", "acct");
    private static final LockFamily<Long> NEW_ACCOUNT = LockFamily.byLong("renamed", "account");

    private static final GeneratedLocks LOCKS = new GeneratedLocks("renamed", OLD.appHash());

    static final LockKey INVOICE_CLOSE =
            LOCKS.key("INVOICE_CLOSE", NEW.name(), NEW.lockHash(), OLD.name(), OLD.lockHash());
    static final LockFamily<Long> ACCOUNT = LOCKS.byLong(
            "ACCOUNT", NEW_ACCOUNT.name(), NEW_ACCOUNT.familyHash(), OLD_ACCOUNT.name(), OLD_ACCOUNT.familyHash());

    private RenamedLocks() {}
}
