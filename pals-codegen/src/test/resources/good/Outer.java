package good;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

public class Outer {
    @LockApp("nested")
    public enum Public {
        @LockName("public")
        A
    }

    @LockApp("nested")
    protected enum Protected {
        @LockName("protected")
        A
    }

    static class Inner {
        @LockApp("nested")
        public enum PublicInAPackagePrivateClass {
            @LockName("deeper")
            A
        }
    }
}
