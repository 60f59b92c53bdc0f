package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum FormerlyItself {
    @LockName(value = "invoice-run", formerly = "invoice-run") // [PalsFormerlyItself] The lock "invoice-run" was never renamed
    INVOICE_RUN
}
