package good;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
public enum Plain {
    @LockName("invoice-run")
    INVOICE_RUN,
    @LockName("nightly/close")
    NIGHTLY_CLOSE
}
