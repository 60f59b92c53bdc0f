package dev.pals.proof;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;

/** What a worker's thread does in one turn. */
enum Step {
    /** Waits for one key exclusively, and writes. */
    EXCLUSIVE,
    /** The same without a wait. */
    TRY,
    /** The same without a thread that waits; now and then it is cancelled. */
    ASYNC,
    /** Waits for one key, shared. */
    SHARED,
    /** Waits for two or three keys exclusively. */
    SEVERAL,
    /** Waits for two or three keys, shared. */
    SEVERAL_SHARED,
    /** A locked transaction. */
    TRANSACTION,
    /** A fenced one. */
    FENCED_TRANSACTION,
    /** Keeps one key for seconds, and then writes. */
    KEEP;

    /** All, and one that keeps a key for every eight others of each kind. */
    static List<Step> mixed() {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            steps.addAll(EnumSet.complementOf(EnumSet.of(KEEP)));
        }
        steps.add(KEEP);
        return steps;
    }
}
