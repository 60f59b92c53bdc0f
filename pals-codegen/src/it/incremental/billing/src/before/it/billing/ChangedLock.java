package it.billing;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
public enum ChangedLock {
    @LockName("before")
    LOCK
}
