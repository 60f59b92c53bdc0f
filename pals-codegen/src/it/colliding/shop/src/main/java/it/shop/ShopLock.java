package it.shop;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum ShopLock {
    @LockName("sale")
    SALE,
    @LockName("invoice-run")
    INVOICE_RUN
}
