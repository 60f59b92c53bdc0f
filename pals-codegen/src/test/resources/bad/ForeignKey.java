package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

/** Found by search: the family's keys reach those of Flyway. */
@LockApp("bank")
enum ForeignKey {
    @LockName(value = "tsbpy", by = Long.class) // [PalsForeignKey] "bank.tsbpy" (bad.ForeignKey.TSBPY) has, or could reach, a key that Flyway takes on PostgreSQL (77429560795513 to 77433855762808).
    TSBPY
}
