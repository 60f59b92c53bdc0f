package bad;

import dev.pals.key.LockApp;

@LockApp("billing")
enum EmptyEnum {} // [PalsEmptyEnum] bad.EmptyEnum has no constants, so it declares no lock.
