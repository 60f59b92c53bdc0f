package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum ColonInName {
    @LockName("invoice:run") // [PalsColonInName] The lock name "invoice:run" has a ':',
    INVOICE_RUN,
    @LockName(value = "dunning", formerly = "dunning:run") // [PalsColonInName] The lock name "dunning:run" has a ':',
    DUNNING,
    @LockName("fine")
    FINE
}

@LockApp("billing:eu") // [PalsColonInName] The app name "billing:eu" has a ':',
enum ColonInApp {
    @LockName("a")
    A
}
