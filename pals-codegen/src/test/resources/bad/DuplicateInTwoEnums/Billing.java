package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum Billing {
    @LockName(value = "invoice-close", formerly = "invoice-run")
    INVOICE_CLOSE
}
