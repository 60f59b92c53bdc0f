package it.shop;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
public enum ShopLock {
    @LockName("deleted")
    LOCK
}
