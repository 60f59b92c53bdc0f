package dev.pals.proof;

import dev.pals.proof.Violation.Rule;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** A mistake that somebody could make in the engine: a change of its source, and what the checker is to say of it. */
enum SeededBug {
    /** A wait that has ended with an error is taken for one that was not granted. */
    SETTLE_STEP_MISSING(
            "internal/session/Session",
            "despiteLateCancel(this::unlockAll);",
            "",
            Rule.STRAY_LOCK,
            EnumSet.of(Step.EXCLUSIVE),
            EnumSet.of(Fault.GRANTED_CANCELLED)),
    /** The lock of a transaction is free before its work is there. */
    RELEASE_BEFORE_COMMIT(
            "LockedTransaction",
            "confirm(lock);\n                return result;",
            "confirm(lock); lock.close(); return result;",
            Rule.LOST_WRITE,
            EnumSet.of(Step.TRANSACTION),
            EnumSet.noneOf(Fault.class)),
    /** Within a program, an exclusive lock is handed on while somebody has it. */
    HAND_OFF_TO_TWO(
            "internal/gate/Gate",
            "return isWantedBy(next, held) && mayJoin && !isTimeToLook();",
            "return true;",
            Rule.EXCLUSIVE_EXCLUSIVE,
            EnumSet.of(Step.EXCLUSIVE),
            EnumSet.noneOf(Fault.class)),
    /** Who has the lock by a hand-off has the token of the one before. */
    TOKEN_REUSED(
            "internal/gate/Entry",
            "token = held.token() + before;",
            "token = held.token();",
            Rule.TOKEN_NOT_GROWING,
            EnumSet.of(Step.EXCLUSIVE),
            EnumSet.noneOf(Fault.class)),
    /** A session has ended, and nobody hears of it. */
    LOST_EVENT_DROPPED(
            "internal/session/Session",
            "lost.forEach(hold -> tellLoss(hold, cause));",
            "",
            Rule.LOSS_NOT_TOLD,
            EnumSet.of(Step.KEEP),
            EnumSet.of(Fault.HOLDER_TERMINATED)),
    /** The ledger has another key than PostgreSQL, so that after an error a lock is taken for a stray one. */
    LEDGER_OFF_BY_ONE(
            "internal/session/Session",
            "ledger.put(command.key(), hold);",
            "ledger.put(command.key() + 1, hold);",
            Rule.LOCK_VANISHED,
            EnumSet.of(Step.TRY),
            EnumSet.of(Fault.GRANTED_CANCELLED)),
    /** Of several commands in one statement, each has the answer of the one before. */
    BATCH_RESULTS_SHIFTED_BY_ONE(
            "internal/session/Session",
            """
                        for (Command command : commands) {
                            result.next();
                            command.answer(result.getLong(1));
                        }
            """,
            """
                        long before = 1;
                        for (Command command : commands) {
                            result.next();
                            command.answer(before);
                            before = result.getLong(1);
                        }
            """,
            Rule.NOT_IN_POSTGRESQL,
            EnumSet.of(Step.EXCLUSIVE, Step.TRY),
            EnumSet.noneOf(Fault.class)),
    /** The locker trusts a server whose locks exclude nobody. */
    PROBE_SKIPPED(
            "LockerBuilder",
            "private boolean probed = true;",
            "private boolean probed = false;",
            Rule.NOT_IN_POSTGRESQL,
            EnumSet.of(Step.EXCLUSIVE),
            EnumSet.noneOf(Fault.class)),
    /** A guarded write is accepted although a newer token was shown. */
    FENCE_SKIPPED(
            "jooq/FencingTokens",
            ".where(FENCE.TOKEN.le(excluded(FENCE.TOKEN)))",
            "",
            Rule.STALE_WRITE_ACCEPTED,
            EnumSet.of(Step.EXCLUSIVE, Step.KEEP),
            EnumSet.of(Fault.HOLDER_TERMINATED)),
    /** A fenced transaction does not show its token. */
    FENCED_TRANSACTION_UNCHECKED(
            "LockedTransaction",
            "FencingTokens.check(trx, lock);",
            "",
            Rule.STALE_WRITE_ACCEPTED,
            EnumSet.of(Step.FENCED_TRANSACTION),
            EnumSet.noneOf(Fault.class)),
    /** A locked transaction is committed without a look whether its lock is still there. */
    TRANSACTION_UNCONFIRMED(
            "LockedTransaction",
            "confirm(lock);\n                return result;",
            "return result;",
            Rule.COMMITTED_WITHOUT_LOCK,
            EnumSet.of(Step.TRANSACTION),
            EnumSet.of(Fault.HOLDER_TERMINATED)),
    /** Of several keys, the one that was not free counts as taken, too. */
    MISS_TAKEN_FOR_GRANT(
            "internal/session/Session",
            "commands.get(i).answer(result.getLong(1));",
            "commands.get(i).answer(Math.max(1, result.getLong(1)));",
            Rule.NOT_IN_POSTGRESQL,
            EnumSet.of(Step.SEVERAL),
            EnumSet.noneOf(Fault.class)),
    /** A locker that is closed keeps the connections that it had from somebody's pool. */
    CONNECTION_NOT_GIVEN_BACK(
            "internal/session/Sessions",
            "if (session.refuseAtOnce(end - System.nanoTime())) {\n                    giveBack(session);",
            "if (session.refuseAtOnce(end - System.nanoTime())) {",
            Rule.CONNECTION_LEAKED,
            EnumSet.of(Step.EXCLUSIVE),
            EnumSet.noneOf(Fault.class));

    private final String className;
    private final String original;
    private final String mistake;
    private final Rule rule;

    @SuppressWarnings("ImmutableEnumChecker") // Nobody changes it.
    private final Set<Step> steps;

    @SuppressWarnings("ImmutableEnumChecker")
    private final Set<Fault> faults;

    SeededBug(String className, String original, String mistake, Rule rule, Set<Step> steps, Set<Fault> faults) {
        this.className = className;
        this.original = original;
        this.mistake = mistake;
        this.rule = rule;
        this.steps = steps;
        this.faults = faults;
    }

    /** What the checker is to find. */
    Rule rule() {
        return rule;
    }

    /** Whose workers are the ones that it concerns. */
    Profile profile() {
        return switch (this) {
            // All share one session, so that an error meets locks that others hold.
            case LEDGER_OFF_BY_ONE -> Profile.NARROW;
            case CONNECTION_NOT_GIVEN_BACK -> Profile.POOLED;
            default -> Profile.PLAIN;
        };
    }

    /** What the workers do. */
    List<Step> steps() {
        return List.copyOf(steps);
    }

    /** What happens to them. */
    Set<Fault> faults() {
        return faults;
    }

    /** The source with the mistake. */
    ChangedSource source() {
        return new ChangedSource(className, original, mistake);
    }
}
