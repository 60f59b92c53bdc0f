package dev.pals.proof;

import java.util.Set;

/**
 * A fault that has hit somebody.
 *
 * @param workers whom it could reach; empty for all
 * @param keys which keys those held
 * @param from when it began, in microseconds by the machine's clock
 * @param until when it was over
 */
record FaultRecord(Fault fault, Set<String> workers, Set<Long> keys, long from, long until) {
    boolean reaches(String worker) {
        return workers.isEmpty() || workers.contains(worker);
    }
}
