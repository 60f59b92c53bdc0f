package good;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("bodies")
enum Bodies {
    @LockName("plus")
    PLUS("+") {
        @Override
        int apply(int a, int b) {
            return a + b;
        }
    },
    @LockName("minus")
    MINUS("-") {
        @Override
        int apply(int a, int b) {
            return a - b;
        }
    };

    private final String sign;

    Bodies(String sign) {
        this.sign = sign;
    }

    abstract int apply(int a, int b);

    String sign() {
        return sign;
    }
}
