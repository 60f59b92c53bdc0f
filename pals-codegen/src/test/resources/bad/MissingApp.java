package bad;

import dev.pals.key.LockName;

enum MissingApp { // [PalsMissingApp] bad.MissingApp has @LockName constants, but no @LockApp.
    @LockName("invoice-run")
    INVOICE_RUN,
    @LockName("dunning")
    DUNNING
}
