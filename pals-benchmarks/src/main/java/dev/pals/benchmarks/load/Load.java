package dev.pals.benchmarks.load;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Contestant.Ability;
import java.io.Serializable;
import java.util.EnumSet;
import java.util.Set;

/**
 * What threads do.
 *
 * @param name short, for options, file names and results
 * @param title for people
 * @param processes how many JVMs
 * @param threads of all JVMs together
 * @param keys which key a cycle is about
 * @param act what a cycle does
 * @param sectionMillis how long the lock is held, in sleep
 * @param held how many other locks each JVM's contender holds meanwhile
 * @param virtual whether the threads are virtual ones
 */
public record Load(
        String name,
        String title,
        int processes,
        int threads,
        Keys keys,
        Act act,
        int sectionMillis,
        int held,
        boolean virtual)
        implements Serializable {

    /** What a cycle does with its key. */
    public enum Act {
        TRY,
        WAIT,
        READ_MOSTLY,
        TRANSACTION
    }

    /** What a contender must be able to do. */
    public Set<Ability> needs() {
        Set<Ability> needs = EnumSet.noneOf(Ability.class);
        if (processes > 1) {
            needs.add(Ability.PROCESSES);
        }
        if (act != Act.TRY) {
            needs.add(Ability.WAIT);
        }
        if (held > 0) {
            needs.add(Ability.HOLD_MANY);
        }
        return needs;
    }

    /** Why a contender has no part in it, or empty. */
    public String refusal(Contestant contestant, int connectionLimit) {
        if (contestant == Contestant.JDK) {
            return keys == Keys.HOT && processes == 1 && act == Act.WAIT ? "" : "only known in its JVM";
        }
        if (!contestant.can(needs())) {
            return held > 0
                    ? "takes locks one at a time, or holds them on other connections"
                    : "does not wait: it is made to skip what is locked";
        }
        if (keys == Keys.HOT && processes > 1 && contestant.differsInSessionsAlone()) {
            return "one key takes one session: as with 2";
        }
        if (contestant.connectionPerThread() && threads > connectionLimit) {
            return "needs " + threads + " connections, and the server has " + connectionLimit + " to spare";
        }
        return "";
    }

    /** Threads of one of the JVMs. */
    public int threadsOf(int process) {
        return threads / processes + (process < threads % processes ? 1 : 0);
    }
}
