package good;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("retired")
enum Retired {
    @Deprecated
    @LockName("old")
    OLD,
    @Deprecated(forRemoval = true)
    @LockName("very-old")
    VERY_OLD,
    @LockName("young")
    YOUNG
}
