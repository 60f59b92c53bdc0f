package dev.pals.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.lock.LockMode;
import dev.pals.proof.Event.Kind;
import dev.pals.proof.History.Standing;
import dev.pals.proof.Violation.Rule;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Small histories, in milliseconds: good ones, and a bad one for each rule. */
final class HistoryCheckerTest {
    private static final long KEY = 7;
    private static final long OTHER_KEY = 8;
    private static final int END = 20_000;

    private final List<Event> events = new ArrayList<>();
    private final Looks looks = new Looks();
    private final List<FaultRecord> faults = new ArrayList<>();
    private final List<Violation> atRest = new ArrayList<>();
    private final Map<Long, Long> tokensBefore = new HashMap<>();
    private final Map<Long, Long> counters = new HashMap<>();
    private final Map<Long, Long> fenced = new HashMap<>();
    private @Nullable Verdict verdict;

    HistoryCheckerTest() {
        for (int at = 0; at <= END; at += 10) {
            looks.times().put(micros(at), micros(at) + 1);
        }
    }

    // ---- good ones ----

    @Test
    void exclusiveOnes_oneAfterTheOther_areGood() {
        session("a", END);
        session("b", END);
        entered("a#1", 100, "a", 1);
        wrote("a#1", 110, "a", 1, "op1");
        acknowledged("a#1", 115, "op1");
        left("a#1", 120, "a");
        entered("b#1", 121, "b", 2);
        wrote("b#1", 130, "b", 2, "op2");
        left("b#1", 140, "b");
        counters.put(KEY, 2L);

        assertThat(rules()).isEmpty();
    }

    @Test
    void sharedOnes_atATime_areGood() {
        session("a", END);
        session("b", END);
        shared("a#1", 100, 200, "a");
        shared("b#1", 150, 250, "b");

        assertThat(rules()).isEmpty();
    }

    @Test
    void holderWhoseSessionHasEnded_overlapsAndIsRefused_isGood() {
        session("a", 1_000);
        session("b", END);
        fault(Fault.HOLDER_TERMINATED, "a", 1_000);
        entered("a#1", 100, "a", 1);
        entered("b#1", 1_010, "b", 2);
        wroteFenced("b#1", 1_020, "b", 2, 1, "op1");
        lost("a#1", 1_100);
        note(Kind.REFUSED, "a#1", 1_110);
        left("b#1", 1_200, "b");
        left("a#1", 1_210, null);
        fenced.put(KEY, 1L);

        assertThat(rules()).isEmpty();
    }

    /** It frees its locks before it leaves PostgreSQL's list. */
    @Test
    void sessionThatEnds_isSeenForAWhile_isGood() {
        session("a", 1_000);
        session("b", END);
        entered("a#1", 100, "a", 1);
        exclusive("b#1", 900, 970, "b", 2);
        left("a#1", 980, null);

        assertThat(rules()).isEmpty();
    }

    @Test
    void plainWriteOfAHolderWhoseSessionHasEnded_overwrites_isGood() {
        session("a", 1_000);
        session("b", END);
        entered("a#1", 100, "a", 1);
        entered("b#1", 1_010, "b", 2);
        wrote("b#1", 1_020, "b", 1, "op1");
        wrote("a#1", 1_030, null, 1, "op2");
        left("b#1", 1_200, "b");
        counters.put(KEY, 1L);

        assertThat(rules()).isEmpty();
        assertThat(verdict).isEqualTo(new Verdict(List.of(), 2, 0, 2, 1, 0, 1));
    }

    @Test
    void sectionWhoseSessionEndedBeforeItCouldLook_isGood() {
        session("a", 101);
        event(Kind.ENTERED, "a#1", 700, KEY, LockMode.EXCLUSIVE, null, 95, 1, 0, "");
        left("a#1", 710, null);

        assertThat(rules()).isEmpty();
        assertThat(verdict).isEqualTo(new Verdict(List.of(), 1, 1, 0, 0, 0, 1));
    }

    /** The lock of the one before was handed on, before their program heard of the end of its session. */
    @Test
    void sectionThatAskedJustAfterTheSessionEnded_isGood() {
        session("a", 1_000);
        exclusive("a#1", 900, 1_000, "a", 1);
        event(Kind.ENTERED, "a#2", 1_500, KEY, LockMode.EXCLUSIVE, null, 1_400, 2, 0, "");
        left("a#2", 1_600, null);

        assertThat(rules()).isEmpty();
        assertThat(verdict).isEqualTo(new Verdict(List.of(), 2, 1, 0, 0, 0, 2));
    }

    @Test
    void notInPostgresql_thatAskedASecondAfterTheSessionEnded() {
        session("a", 1_000);
        event(Kind.ENTERED, "a#1", 2_100, KEY, LockMode.EXCLUSIVE, null, 2_000, 1, 0, "");

        assertThat(rules()).containsExactly(Rule.NOT_IN_POSTGRESQL);
    }

    /** Its own session ended, and somebody else of its program had the lock when it could look. */
    @Test
    void sectionThatFindsTheLockOfTheNextOneOfItsProgram_isGood() {
        looks.saw("a", "a", micros(END));
        looks.saw("other", "a", micros(1_000));
        exclusive("a#1", 1_050, 1_300, "a", 2);
        event(Kind.ENTERED, "a#2", 1_100, KEY, LockMode.EXCLUSIVE, "a", 900, 1, 0, "");
        left("a#2", 1_200, "a");

        assertThat(rules()).isEmpty();
    }

    // ---- a bad one for each rule ----

    @Test
    void exclusiveExclusive() {
        session("a", END);
        session("b", END);
        exclusive("a#1", 100, 200, "a", 1);
        exclusive("b#1", 150, 250, "b", 2);

        assertThat(rules()).containsExactly(Rule.EXCLUSIVE_EXCLUSIVE);
    }

    @Test
    void exclusiveExclusive_inOneProgram() {
        session("a", END);
        exclusive("a#1", 100, 200, "a", 1);
        exclusive("a#2", 150, 250, "a", 2);

        assertThat(rules()).containsExactly(Rule.EXCLUSIVE_EXCLUSIVE);
    }

    @Test
    void exclusiveExclusive_inOneProgram_whileAnotherOfItsSessionsEnds() {
        looks.saw("a", "a", micros(END));
        looks.saw("other", "a", micros(5_000));
        exclusive("a#1", 100, 9_000, "a", 1);
        event(Kind.ENTERED, "a#2", 5_100, KEY, LockMode.EXCLUSIVE, "a", 4_900, 2, 0, "");
        left("a#2", 5_200, "a");

        assertThat(rules()).containsExactly(Rule.EXCLUSIVE_EXCLUSIVE);
    }

    @Test
    void exclusiveExclusive_longBeforeTheSessionEnded() {
        session("a", 1_000);
        session("b", END);
        exclusive("a#1", 100, 200, "a", 1);
        exclusive("b#1", 150, 250, "b", 2);

        assertThat(rules()).containsExactly(Rule.EXCLUSIVE_EXCLUSIVE);
    }

    @Test
    void sharedExclusive() {
        session("a", END);
        session("b", END);
        shared("a#1", 100, 200, "a");
        exclusive("b#1", 150, 250, "b", 2);

        assertThat(rules()).containsExactly(Rule.SHARED_EXCLUSIVE);
    }

    @Test
    void severalKeys() {
        session("a", END);
        session("b", END);
        entered("a#1", 100, "a", 1);
        event(Kind.ENTERED, "a#1", 100, OTHER_KEY, LockMode.EXCLUSIVE, "a", 99, 2, 0, "");
        left("a#1", 200, "a");
        exclusive("b#1", 150, 250, "b", 3);

        assertThat(rules()).containsExactly(Rule.SEVERAL_KEYS);
    }

    @Test
    void notInPostgresql() {
        session("a", END);
        entered("a#1", 100, null, 1);

        assertThat(rules()).containsExactly(Rule.NOT_IN_POSTGRESQL);
    }

    @Test
    void notInPostgresql_longAfterTheSessionEnded() {
        session("a", 1_000);
        event(Kind.ENTERED, "a#1", 9_000, KEY, LockMode.EXCLUSIVE, null, 900, 1, 0, "");

        assertThat(rules()).containsExactly(Rule.NOT_IN_POSTGRESQL);
    }

    @Test
    void lockVanished() {
        session("a", END);
        entered("a#1", 100, "a", 1);
        left("a#1", 200, null);

        assertThat(rules()).containsExactly(Rule.LOCK_VANISHED);
    }

    @Test
    void tokenNotGrowing() {
        session("a", END);
        exclusive("a#1", 100, 110, "a", 5);
        exclusive("a#2", 120, 130, "a", 5);

        assertThat(rules()).containsExactly(Rule.TOKEN_NOT_GROWING);
    }

    @Test
    void tokenNotGrowing_sinceTheRoundBefore() {
        session("a", END);
        tokensBefore.put(KEY, 6L);
        exclusive("a#1", 100, 110, "a", 5);

        assertThat(rules()).containsExactly(Rule.TOKEN_NOT_GROWING);
    }

    @Test
    void lostWrite_overwritten() {
        session("a", END);
        entered("a#1", 100, "a", 1);
        wrote("a#1", 110, "a", 1, "op1");
        left("a#1", 120, "a");
        entered("a#2", 130, "a", 2);
        wrote("a#2", 140, "a", 1, "op2");
        left("a#2", 150, "a");
        counters.put(KEY, 1L);

        assertThat(rules()).containsExactly(Rule.LOST_WRITE);
    }

    @Test
    void lostWrite_notThereAtTheEnd() {
        session("a", END);
        entered("a#1", 100, "a", 1);
        wrote("a#1", 110, "a", 1, "op1");
        left("a#1", 120, "a");
        counters.put(KEY, 0L);

        assertThat(rules()).containsExactly(Rule.LOST_WRITE);
    }

    @Test
    void lostWrite_acknowledgedAndNotThere() {
        session("a", END);
        acknowledged("a#1", 100, "op1");

        assertThat(rules()).containsExactly(Rule.LOST_WRITE);
    }

    @Test
    void lostWrite_fenced_isNotExcusedByTheEndOfASession() {
        session("a", 1_000);
        session("b", END);
        entered("a#1", 100, "a", 1);
        entered("b#1", 1_010, "b", 2);
        wroteFenced("b#1", 1_020, "b", 2, 1, "op1");
        wroteFenced("a#1", 1_030, null, 3, 1, "op2");
        left("b#1", 1_200, "b");
        fenced.put(KEY, 1L);

        assertThat(rules()).containsExactly(Rule.LOST_WRITE);
    }

    @Test
    void doubledWrite() {
        session("a", END);
        entered("a#1", 100, "a", 1);
        wrote("a#1", 110, "a", 1, "op1");
        wrote("a#1", 111, "a", 2, "op1");
        left("a#1", 120, "a");
        counters.put(KEY, 2L);

        assertThat(rules()).containsExactly(Rule.DOUBLED_WRITE);
    }

    @Test
    void staleWriteAccepted() {
        session("a", 1_000);
        session("b", END);
        entered("a#1", 100, "a", 1);
        entered("b#1", 1_010, "b", 2);
        wroteFenced("b#1", 1_020, "b", 2, 1, "op1");
        wroteFenced("a#1", 1_030, null, 1, 2, "op2");
        left("b#1", 1_200, "b");
        fenced.put(KEY, 2L);

        assertThat(rules()).containsExactly(Rule.STALE_WRITE_ACCEPTED);
    }

    @Test
    void staleWriteAccepted_withTheTokenOfAnother() {
        session("a", END);
        exclusive("a#1", 100, 200, "a", 1);
        wroteFenced("a#1", 110, "a", 1, 1, "op1");
        exclusive("a#2", 300, 400, "a", 2);
        wroteFenced("a#2", 310, "a", 1, 2, "op2");
        fenced.put(KEY, 2L);

        assertThat(rules()).containsExactly(Rule.STALE_WRITE_ACCEPTED);
    }

    @Test
    void committedWithoutLock() {
        committedAfterItsSessionEnded();

        assertThat(rules()).containsExactly(Rule.COMMITTED_WITHOUT_LOCK);
    }

    /** It has found that it had its lock, and was stopped before the commit. */
    @Test
    void committedWithoutLock_afterAStop_isGood() {
        committedAfterItsSessionEnded();
        stopped(Fault.WORKER_STOPPED_BEYOND_LEASE, "a", 900, 3_900);

        assertThat(rules()).isEmpty();
    }

    @Test
    void committedWithoutLock_afterAStopOfAnother() {
        committedAfterItsSessionEnded();
        stopped(Fault.WORKER_STOPPED, "b", 900, 3_900);

        assertThat(rules()).containsExactly(Rule.COMMITTED_WITHOUT_LOCK);
    }

    @Test
    void lossNotTold_afterAStopOfAnother() {
        session("a", 1_000);
        stopped(Fault.WORKER_STOPPED, "b", 1_000, 4_000);
        entered("a#1", 100, "a", 1);
        left("a#1", 9_000, null);

        assertThat(rules()).containsExactly(Rule.LOSS_NOT_TOLD);
    }

    @Test
    void lossNotTold() {
        session("a", 1_000);
        entered("a#1", 100, "a", 1);
        left("a#1", 9_000, null);

        assertThat(rules()).containsExactly(Rule.LOSS_NOT_TOLD);
    }

    @Test
    void lossNotTold_toOneThatHadNoSessionAtItsFirstLook() {
        session("a", 1_000);
        event(Kind.ENTERED, "a#1", 1_200, KEY, LockMode.EXCLUSIVE, null, 900, 1, 0, "");
        left("a#1", 9_000, null);

        assertThat(rules()).containsExactly(Rule.LOSS_NOT_TOLD);
    }

    /** One of two keys was on a session that ended before the first look. */
    @Test
    void lossOfOneOfSeveralKeys_whoseOtherSessionLivesOn_isGood() {
        session("a", 1_000);
        looks.saw("a2", "a", micros(END));
        fault(Fault.HOLDER_TERMINATED, "a", 1_000);
        event(Kind.ENTERED, "a#1", 1_050, KEY, LockMode.EXCLUSIVE, null, 900, 1, 0, "");
        event(Kind.ENTERED, "a#1", 1_050, OTHER_KEY, LockMode.EXCLUSIVE, "a2", 900, 2, 0, "");
        lost("a#1", 1_100);

        assertThat(rules()).isEmpty();
    }

    /** It had a session that ended before its first look, which found that of another one. */
    @Test
    void lossOfASharedOne_whichFoundAnotherSession_isGood() {
        session("a", 1_000);
        looks.saw("a2", "a", micros(END));
        fault(Fault.HOLDER_TERMINATED, "a", 1_000);
        event(Kind.ENTERED, "a#1", 1_050, KEY, LockMode.SHARED, "a2", 900, 0, 0, "");
        lost("a#1", 1_100);

        assertThat(rules()).isEmpty();
    }

    @Test
    void lossUnexplained() {
        session("a", 1_000);
        fault(Fault.HOLDER_TERMINATED, "b", 100);
        fault(Fault.WORKER_STOPPED, "a", 100);
        exclusive("a#1", 100, 200, "a", 1);
        lost("a#1", 150);

        assertThat(rules()).containsExactly(Rule.LOSS_UNEXPLAINED);
    }

    @Test
    void lossUnexplained_longAfterTheFault() {
        session("a", 15_000);
        fault(Fault.HOLDER_TERMINATED, "a", 9_000);
        exclusive("a#1", 100, 200, "a", 1);
        entered("a#2", 14_500, "a", 2);
        lost("a#2", 15_000);

        assertThat(rules()).containsExactly(Rule.LOSS_UNEXPLAINED);
    }

    /** It is told all the same, when it goes on. */
    @Test
    void lossLongAfterTheFault_ofOneThatWasStopped_isGood() {
        session("a", 9_000);
        fault(Fault.HOLDER_TERMINATED, "a", 9_000);
        stopped(Fault.WORKER_STOPPED, "a", 9_000, 12_000);
        entered("a#1", 8_900, "a", 1);
        lost("a#1", 15_000);

        assertThat(rules()).isEmpty();
    }

    /** It is told when it is to be committed. */
    @Test
    void lossOfATransaction_longAfterTheFault_isGood() {
        session("a", 1_000);
        fault(Fault.HOLDER_TERMINATED, "a", 1_000);
        entered("a#1", 900, "a", 0);
        lost("a#1", 7_000);

        assertThat(rules()).isEmpty();
    }

    @Test
    void lossUnexplained_whoseSessionLivesOn() {
        session("a", END);
        fault(Fault.HOLDER_TERMINATED, "a", 90);
        entered("a#1", 100, "a", 1);
        lost("a#1", 150);

        assertThat(rules()).containsExactly(Rule.LOSS_UNEXPLAINED);
    }

    @Test
    void lossThatIsTold_counts() {
        session("a", 1_000);
        fault(Fault.HOLDER_TERMINATED, "a", 1_000);
        entered("a#1", 100, "a", 1);
        lost("a#1", 1_100);
        left("a#1", 1_110, null);
        exclusive("b#1", 2_000, 2_010, "b", 2);

        assertThat(rules()).isEmpty();
        assertThat(verdict).isEqualTo(new Verdict(List.of(), 2, 0, 0, 0, 1, 1));
    }

    @Test
    void untypedFailure() {
        add(Kind.FAILED, "a#1", 100, Worker.UNTYPED + "java.lang.NullPointerException");
        add(Kind.FAILED, "a#2", 100, "dev.pals.lock.LockTimeoutException");

        assertThat(rules()).containsExactly(Rule.UNTYPED_FAILURE);
    }

    @Test
    void whatWasFoundAtRest_isReported() {
        atRest.add(new Violation(Rule.STRAY_LOCK, "one"));
        atRest.add(new Violation(Rule.CONNECTION_LEAKED, "one"));
        atRest.add(new Violation(Rule.STUCK, "one"));

        assertThat(rules()).containsExactly(Rule.STRAY_LOCK, Rule.CONNECTION_LEAKED, Rule.STUCK);
    }

    // ---- the language of these histories ----

    private List<Rule> rules() {
        History history = new History(
                events,
                looks,
                faults,
                new Standing(Map.of(), Map.of(), tokensBefore),
                new Standing(counters, fenced, Map.of()),
                atRest,
                Duration.ofSeconds(5));
        verdict = HistoryChecker.check(history);
        return verdict.violations().stream().map(Violation::rule).toList();
    }

    private static long micros(int millis) {
        return millis * 1_000L;
    }

    /** The worker's session of the same name was seen until then. */
    private void session(String session, int until) {
        looks.saw(session, session, micros(until));
    }

    private void fault(Fault fault, String worker, int at) {
        faults.add(new FaultRecord(fault, Set.of(worker), Set.of(KEY), micros(at), micros(at) + 1));
    }

    private void stopped(Fault fault, String worker, int from, int until) {
        faults.add(new FaultRecord(fault, Set.of(worker), Set.of(KEY), micros(from), micros(until)));
    }

    private void committedAfterItsSessionEnded() {
        session("a", 1_000);
        entered("a#1", 100, "a", 0);
        wrote("a#1", 4_000, null, 1, "op1");
        left("a#1", 4_010, null);
        counters.put(KEY, 1L);
    }

    private void exclusive(String section, int from, int to, String session, long token) {
        entered(section, from, session, token);
        left(section, to, session);
    }

    private void entered(String section, int at, @Nullable String session, long token) {
        event(Kind.ENTERED, section, at, KEY, LockMode.EXCLUSIVE, session, at - 1, token, 0, "");
    }

    private void shared(String section, int from, int to, String session) {
        event(Kind.ENTERED, section, from, KEY, LockMode.SHARED, session, from - 1, 0, 0, "");
        event(Kind.LEFT, section, to, KEY, LockMode.SHARED, session, 0, 0, 0, "");
    }

    private void left(String section, int at, @Nullable String session) {
        event(Kind.LEFT, section, at, KEY, LockMode.EXCLUSIVE, session, 0, 0, 0, "");
    }

    private void wrote(String section, int at, @Nullable String session, long value, String op) {
        event(Kind.WROTE, section, at, KEY, LockMode.EXCLUSIVE, session, 0, 0, value, op);
    }

    private void wroteFenced(String section, int at, @Nullable String session, long token, long value, String op) {
        event(Kind.WROTE_FENCED, section, at, KEY, LockMode.EXCLUSIVE, session, 0, token, value, op);
    }

    private void acknowledged(String section, int at, String op) {
        event(Kind.ACKNOWLEDGED, section, at, KEY, LockMode.EXCLUSIVE, null, 0, 0, 0, op);
    }

    private void lost(String section, int at) {
        note(Kind.LOST, section, at);
    }

    private void note(Kind kind, String section, int at) {
        add(kind, section, at, "");
    }

    private void add(Kind kind, String section, int at, String note) {
        events.add(new Event(
                kind,
                micros(at),
                worker(section),
                section,
                0,
                LockMode.EXCLUSIVE,
                null,
                0,
                0,
                0,
                "",
                micros(at),
                note));
    }

    private void event(
            Kind kind,
            String section,
            int at,
            long key,
            LockMode mode,
            @Nullable String session,
            int asked,
            long token,
            long value,
            String op) {
        events.add(new Event(
                kind,
                micros(at),
                worker(section),
                section,
                key,
                mode,
                session,
                micros(asked),
                token,
                value,
                op,
                micros(at),
                ""));
    }

    private static String worker(String section) {
        return section.substring(0, section.indexOf('#'));
    }
}
