String log = new File(basedir, 'build.log').text.replace('\\', '/')
assert new File(basedir, 'billing/target/classes/it/billing/BillingLockKeys.class').isFile()
assert log =~ /shop\/ShopLock\.java:\[10,15\] \[PalsDuplicateName\] The lock name "invoice-run" of app "billing" at it\.shop\.ShopLock\.INVOICE_RUN is already that of it\.billing\.BillingLock\.INVOICE_RUN/
assert log.count('[PalsDuplicateName]') <= 2 // Maven repeats the errors at the end.
