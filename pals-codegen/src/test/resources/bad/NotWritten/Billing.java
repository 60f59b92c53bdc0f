package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum Billing { // [PalsNotWritten] The lock keys of bad.Billing could not be written:
    @LockName("invoice-run")
    INVOICE_RUN
}
