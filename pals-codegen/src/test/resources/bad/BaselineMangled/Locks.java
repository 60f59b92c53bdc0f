package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

// nowhere: [PalsBaselineUnreadable] The baseline src/test/resources/bad/BaselineMangled/locks.tsv cannot be used: line 3 does not have the five columns
@LockApp("billing")
enum Locks {
    @LockName("invoice-run")
    INVOICE_RUN
}
