package it.billing;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
public enum BillingLock {
    @LockName("invoice-run")
    INVOICE_RUN,
    @LockName(value = "account", by = Long.class)
    ACCOUNT;

    static final long TYPED = BillingLockKeys.ACCOUNT.of(42L).lockHash();
}
