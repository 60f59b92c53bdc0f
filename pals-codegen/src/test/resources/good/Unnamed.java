import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("unnamed")
enum Unnamed {
    @LockName("a")
    A
}
