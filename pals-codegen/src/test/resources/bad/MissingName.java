package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum MissingName {
    @LockName("invoice-run")
    INVOICE_RUN,
    DUNNING, // [PalsMissingName] The constant DUNNING of a @LockApp enum has no @LockName.
    REPORT // [PalsMissingName] The constant REPORT of a @LockApp enum has no @LockName.
}
