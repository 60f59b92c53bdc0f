package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum InvalidName {
    @LockName("") // [PalsInvalidName] The lock name "" is blank.
    EMPTY,
    @LockName(" \t") // [PalsInvalidName] The lock name " \u0009" is blank.
    BLANK,
    @LockName("a\0b") // [PalsInvalidName] The lock name "a\u0000b" has a NUL character
    NUL,
    @LockName("a\uD800") // [PalsInvalidName] The lock name "a\ud800" has an unpaired surrogate
    SURROGATE,
    @LockName(value = "fine", formerly = "\0") // [PalsInvalidName] The lock name "\u0000" has a NUL character
    FORMERLY_NUL
}

@LockApp(" ") // [PalsInvalidName] The app name " " is blank.
enum InvalidApp {
    @LockName("a")
    A
}
