package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Place;
import dev.pals.benchmarks.load.Load;
import java.io.Serializable;

/** What a worker process is told; each is answered by one {@link Answer}. */
sealed interface Command extends Serializable {
    /** Opens a contender, and its threads' locks for a load, whose sections are counted in the file. */
    record Open(Contestant contestant, Place place, Load load, int process, String counters) implements Command {}

    /** Runs the load's threads from that moment of this machine's clock on: first without measuring, then measuring. */
    record Run(long startMillis, long warmMillis, long millis) implements Command {}

    /** Takes the locks of some keys and keeps them. */
    record Hold(int from, int count) implements Command {}

    /** Listens to the loss of what it holds. */
    record Listen() implements Command {}

    /** Answers when all that it held is known to be lost. */
    record AwaitLoss() implements Command {}

    /** Has so many threads wait for one key, after having taken it where this is the first process. */
    record Wait(int count, boolean first) implements Command {}

    /** Lets the waiting threads have the lock, one after the other. */
    record EndWait() implements Command {}

    /** Measures the heap that is in use. */
    record Weigh() implements Command {}

    /** Closes the contender. */
    record Close() implements Command {}
}
