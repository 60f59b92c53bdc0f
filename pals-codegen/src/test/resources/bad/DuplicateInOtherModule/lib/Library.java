package library;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

class Library {
    @LockApp("billing")
    enum Locks {
        @LockName("invoice-run")
        INVOICE_RUN,
        @LockName(value = "account", formerly = "acct", by = Long.class)
        ACCOUNT
    }
}
