package good;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("bank")
enum OnlyAccounts {
    @LockName(value = "giro", by = Long.class)
    GIRO,
    @LockName(value = "savings", by = Long.class)
    SAVINGS
}
