package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

// nowhere: [PalsBaselineUnreadable] The baseline src/test/resources/bad/BaselineMissing/nothing-here.tsv cannot be used: it does not exist.
@LockApp("billing")
enum Locks {
    @LockName("invoice-run")
    INVOICE_RUN
}
