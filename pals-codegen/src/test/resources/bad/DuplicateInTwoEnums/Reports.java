package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum Reports {
    @LockName("invoice-run") // [PalsDuplicateName] The lock name "invoice-run" of app "billing" at bad.Reports.INVOICE_RUN is already that of bad.Billing.INVOICE_CLOSE.
    INVOICE_RUN
}
