package bad;

import dev.pals.key.LockApp;

@LockApp("billing")
class NotAnEnum { // [PalsNotAnEnum] @LockApp stands on bad.NotAnEnum, which is no enum.
    @LockApp("billing")
    interface NorThis {} // [PalsNotAnEnum] @LockApp stands on bad.NotAnEnum.NorThis, which is no enum.
}
