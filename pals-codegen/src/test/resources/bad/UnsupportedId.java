package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum UnsupportedId {
    @LockName(value = "account", by = long.class) // [PalsUnsupportedId] A lock family cannot be by long.
    PRIMITIVE,
    @LockName(value = "customer", by = Object.class) // [PalsUnsupportedId] A lock family cannot be by java.lang.Object.
    OBJECT
}
