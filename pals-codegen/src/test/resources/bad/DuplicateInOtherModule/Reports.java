package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum Reports {
    @LockName("invoice-run") // [PalsDuplicateName] The lock name "invoice-run" of app "billing" at bad.Reports.INVOICE_RUN is already that of library.Library.Locks.INVOICE_RUN.
    INVOICE_RUN,
    @LockName("acct") // [PalsDuplicateName] The lock name "acct" of app "billing" at bad.Reports.ACCT is already that of library.Library.Locks.ACCOUNT.
    ACCT,
    @LockName("Account") // [PalsLookAlike] "billing.Account" (bad.Reports.ACCOUNT) looks like "billing.account" (library.Library.Locks.ACCOUNT),
    ACCOUNT
}
