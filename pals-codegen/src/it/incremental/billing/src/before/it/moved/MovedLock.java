package it.moved;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
public enum MovedLock {
    @LockName("moved")
    LOCK
}
