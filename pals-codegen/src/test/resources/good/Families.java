package good;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;
import java.util.UUID;

@LockApp("billing")
public enum Families {
    @LockName("all-accounts")
    ALL_ACCOUNTS,
    @LockName(value = "account", by = Long.class)
    ACCOUNT,
    @LockName(value = "branch", by = Integer.class)
    BRANCH,
    @LockName(value = "customer", by = String.class)
    CUSTOMER,
    @LockName(value = "payment", by = UUID.class)
    PAYMENT
}
