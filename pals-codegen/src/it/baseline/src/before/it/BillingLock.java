package it;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
public enum BillingLock {
    @LockName("invoice-run")
    INVOICE_RUN
}
