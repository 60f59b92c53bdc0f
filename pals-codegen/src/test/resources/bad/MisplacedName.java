package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum MisplacedName {
    @LockName("invoice-run")
    INVOICE_RUN;

    @LockName("no-constant")
    int field; // [PalsMisplacedName] @LockName stands on field, which is no enum constant.
}

class Holder {
    @LockName("in-a-class")
    static final String NAME = "x"; // [PalsMisplacedName] @LockName stands on NAME, which is no enum constant.
}
