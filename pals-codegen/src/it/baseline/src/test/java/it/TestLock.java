package it;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

/** No lock of the application, and so not in its baseline. */
@LockApp("test")
enum TestLock {
    @LockName("test")
    TEST
}
