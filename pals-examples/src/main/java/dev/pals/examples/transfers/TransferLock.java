package dev.pals.examples.transfers;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

/** The locks of this job. The processor generates {@code TransferLockKeys} from it. */
@LockApp("transfers")
enum TransferLock {
    /** One lock for each account, held while its balance is read, computed and written. */
    @LockName(value = "account", by = Long.class)
    ACCOUNT,

    /** One lock for each chunk of transfers, held by the worker that applies it. */
    @LockName(value = "chunk", by = Long.class)
    CHUNK
}
