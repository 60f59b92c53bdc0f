package it.billing;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
public enum DeletedLock {
    @LockName("deleted")
    LOCK
}
