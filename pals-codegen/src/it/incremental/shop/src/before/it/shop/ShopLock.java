package it.shop;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("shop")
public enum ShopLock {
    @LockName("sale")
    LOCK
}
