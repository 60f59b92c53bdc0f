package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum DuplicateName {
    @LockName("invoice-run")
    INVOICE_RUN,
    @LockName("invoice-run") // [PalsDuplicateName] The lock name "invoice-run" of app "billing" at bad.DuplicateName.AGAIN is already that of bad.DuplicateName.INVOICE_RUN.
    AGAIN,
    @LockName(value = "invoice-run", by = Long.class) // [PalsDuplicateName] The lock name "invoice-run" of app "billing" at bad.DuplicateName.AS_FAMILY is already that of bad.DuplicateName.INVOICE_RUN.
    AS_FAMILY,
    @LockName(value = "new", formerly = "invoice-run") // [PalsDuplicateName] The lock name "invoice-run" of app "billing" at bad.DuplicateName.RENAMED is already that of bad.DuplicateName.INVOICE_RUN.
    RENAMED
}
