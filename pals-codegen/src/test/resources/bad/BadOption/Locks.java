package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

// nowhere: [PalsBadOption] The processor option pals.basline is unknown; there are pals.baseline and pals.baseline.update.
// nowhere: [PalsBadOption] The processor option pals.baseline.update is neither true nor false, but "yes".
@LockApp("billing")
enum Locks {
    @LockName("invoice-run")
    INVOICE_RUN
}
