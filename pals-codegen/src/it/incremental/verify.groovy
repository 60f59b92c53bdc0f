def services = { module -> new File(basedir, module + '/target/classes/META-INF/services/dev.pals.key.LockCatalog').readLines() }
def classes = { module ->
    def found = [] as SortedSet
    new File(basedir, module + '/target/classes').eachFileRecurse { if (it.name =~ /Lock(Keys)?\.class$/) { found << it.name - '.class' } }
    found as List
}

assert services('billing') == ['it.billing.ChangedLockKeys$Catalog']
assert services('shop') == ['it.moved.MovedLockKeys$Catalog', 'it.shop.ShopLockKeys$Catalog']
assert classes('billing') == ['ChangedLock', 'ChangedLockKeys', 'it_billing_ChangedLock']
assert classes('shop') == ['MovedLock', 'MovedLockKeys', 'ShopLock', 'ShopLockKeys', 'it_moved_MovedLock']
