package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

// nowhere: [PalsBaselineVanished] The lock "billing.gone-too" of bad.Deleted.GONE_TOO is in the baseline src/test/resources/bad/Baseline/locks.tsv, but no constant declares it any more.
@LockApp("billing")
enum Locks { // [PalsBaselineVanished] The lock "billing.gone" of bad.Locks.GONE is in the baseline
    @LockName("invoice-run")
    INVOICE_RUN,
    @LockName("dunning-run") // [PalsBaselineChanged] The lock "billing.dunning" of bad.Locks.DUNNING (plain) is now "billing.dunning-run" (plain), which is another lock: programs of the old and the new version would both run. Restore it, or add formerly = "dunning". Where no program of the old version runs any more, write the baseline anew
    DUNNING,
    @LockName(value = "account", by = Long.class) // [PalsBaselineChanged] The lock "billing.account" of bad.Locks.ACCOUNT (plain) is now "billing.account" (numeric), which is another lock
    ACCOUNT,
    @LockName(value = "renamed-as-told", formerly = "renamed-well", by = String.class) // [PalsBaselineNew] The lock "billing.renamed-as-told" is not in the baseline
    RENAMED_WELL,
    @LockName(value = "number", by = Integer.class)
    NUMBER,
    @LockName("moved")
    MOVED_HERE,
    @LockName("brand-new") // [PalsBaselineNew] The lock "billing.brand-new" is not in the baseline
    BRAND_NEW
}
