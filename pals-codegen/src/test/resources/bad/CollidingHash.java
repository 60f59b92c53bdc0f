package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum CollidingHash {
    @LockName("eu.invoice-run")
    EU
}

@LockApp("billing.eu")
enum CollidingHashEu {
    @LockName("invoice-run") // [PalsCollidingHash] "billing.eu.invoice-run" (bad.CollidingHashEu.INVOICE_RUN) has the same 64-bit key as "billing.eu.invoice-run" (bad.CollidingHash.EU)
    INVOICE_RUN
}
