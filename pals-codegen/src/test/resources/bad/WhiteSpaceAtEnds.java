package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing ") // [PalsWhiteSpaceAtEnds] The app name "billing " begins or ends with white space, which belongs to the name and which nobody sees. Remove it.
enum WhiteSpaceAtEnds {
    @LockName(" invoice-run") // [PalsWhiteSpaceAtEnds] The lock name " invoice-run" begins or ends with white space, which belongs to the name and which nobody sees. Remove it; if it is in use, keep it in formerly
    INVOICE_RUN,
    @LockName(value = "dunning", formerly = "dunning ")
    DUNNING
}
