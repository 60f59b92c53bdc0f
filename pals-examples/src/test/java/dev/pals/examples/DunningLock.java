package dev.pals.examples;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("dunning")
enum DunningLock {
    @LockName(value = "send-reminders", formerly = "reminders")
    SEND_REMINDERS
}
