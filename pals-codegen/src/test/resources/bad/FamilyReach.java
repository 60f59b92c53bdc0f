package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

/** Found by search: the upper 24 bits of the hashes are equal, or all opposite. */
@LockApp("bank")
enum FamilyReach {
    @LockName(value = "aff", by = Long.class)
    AFF,
    @LockName(value = "dys", by = Integer.class) // [PalsFamilyReach] "bank.dys" (bad.FamilyReach.DYS) and "bank.aff" (bad.FamilyReach.AFF) could meet in one 64-bit key:
    DYS,
    @LockName("aew")
    AEW,
    @LockName(value = "oyo", by = Long.class) // [PalsFamilyReach] "bank.oyo" (bad.FamilyReach.OYO) and "bank.aew" (bad.FamilyReach.AEW) could meet in one 64-bit key:
    OYO,
    @LockName(value = "dov", by = Long.class)
    DOV,
    @LockName("hli") // [PalsFamilyReach] "bank.hli" (bad.FamilyReach.HLI) and "bank.dov" (bad.FamilyReach.DOV) could meet in one 64-bit key:
    HLI,
    @LockName("etf")
    ETF,
    @LockName(value = "jed", by = String.class)
    JED_IS_FINE_SINCE_TEXTS_ARE_HASHED_WITH_IT,
    @LockName(value = "aph", by = String.class)
    APH,
    @LockName(value = "txd", by = Long.class)
    TXD_IS_FINE_TOO
}
