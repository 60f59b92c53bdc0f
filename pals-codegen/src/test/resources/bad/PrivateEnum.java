package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

class PrivateEnum {
    @LockApp("billing")
    private enum Hidden { // [PalsPrivateEnum] bad.PrivateEnum.Hidden is private, or stands in something private,
        @LockName("invoice-run")
        INVOICE_RUN
    }

    private static class Inner {
        @LockApp("billing")
        enum HiddenToo { // [PalsPrivateEnum] bad.PrivateEnum.Inner.HiddenToo is private, or stands in something private,
            @LockName("dunning")
            DUNNING
        }
    }
}
