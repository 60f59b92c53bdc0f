package dev.pals.examples;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum BillingLock {
    @LockName("invoice-run")
    INVOICE_RUN,

    @LockName(value = "account", by = Long.class)
    ACCOUNT
}
