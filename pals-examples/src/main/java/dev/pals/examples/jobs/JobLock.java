package dev.pals.examples.jobs;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

/** The locks of this example. The processor generates {@code JobLockKeys} from it. */
@LockApp("jobs")
enum JobLock {
    /** One lock for each job, held by the transaction that does it. */
    @LockName(value = "job", by = Long.class)
    JOB
}
