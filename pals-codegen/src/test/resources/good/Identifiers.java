package good;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

/** Constants that are called like what the generated code uses. */
@LockApp("identifiers")
enum Identifiers {
    @LockName("1")
    dev,
    @LockName("2")
    java,
    @LockName(value = "3", by = Long.class)
    good,
    @LockName("4")
    declared,
    @LockName("5")
    declared_,
    @LockName("6")
    Catalog,
    @LockName("7")
    key,
    @LockName("8")
    list,
    @LockName("9")
    family,
    @LockName("10")
    of,
    @LockName("11")
    LockKey,
    @LockName("12")
    Identifiers,
    @LockName("13")
    IdentifiersKeys,
    @LockName("14")
    \u017c\u00f3\u0142\u0107,
    @LockName("15")
    $,
    @LockName("16")
    record,
    @LockName("17")
    Long
}
