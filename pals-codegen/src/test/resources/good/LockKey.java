import dev.pals.key.LockApp;
import dev.pals.key.LockName;

/** Called like the type of its own keys. */
@LockApp("unnamed")
enum LockKey {
    @LockName("b")
    LOCKS,
    @LockName(value = "c", by = Long.class)
    LOCKS_
}
