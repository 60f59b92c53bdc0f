package good;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;
import java.util.UUID;

@LockApp("renamed")
enum Renamed {
    @LockName(value = "invoice-close", formerly = "invoice-run")
    INVOICE_CLOSE,
    @LockName(value = "report-run", formerly = "report_run")
    MENDED,
    @LockName(value = "account", formerly = "acct", by = Long.class)
    ACCOUNT,
    @LockName(value = "payment", formerly = "pay", by = UUID.class)
    PAYMENT
}
