package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.pals.TestDatabase.AdvisoryRow;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockInterruptedException;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.LockerClosedException;
import dev.pals.lock.WaitPolicy;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What holds for every way to take a lock, whatever its sessions come from. */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class LockContract {
    static final String APP = "contract";

    private static final Duration SHORT = Duration.ofMillis(120);
    private static final WaitPolicy SLOW_POLLING = WaitPolicy.polling(Duration.ofSeconds(60), Duration.ofMinutes(5));

    final TestDatabase database;

    private final List<Locker> lockers = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    LockContract(TestDatabase database) {
        this.database = database;
    }

    abstract LockerBuilder connected(LockerBuilder builder, String url);

    final Locker opened(LockerBuilder builder) {
        Locker locker = builder.build();
        lockers.add(locker);
        return locker;
    }

    final LockerBuilder builder() {
        return connected(Locker.builder(APP), database.url());
    }

    final Locker locker() {
        return opened(builder());
    }

    final void closeLockers() {
        lockers.forEach(Locker::close);
    }

    @AfterEach
    void noAdvisoryRowIsLeft() throws InterruptedException {
        closeLockers();
        threads.shutdownNow();
        assertThat(threads.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        database.awaitNoAdvisoryRow();
    }

    // ---- excluding others ----

    @Test
    void acquire_keyIsFree_isInPgLocksUntilClose() {
        Locker locker = locker();
        LockKey key = locker.key("free");
        LockHandle handle = locker.exclusive(key).acquire();
        assertThat(handle.isHeld()).isTrue();
        assertThat(handle.keys()).containsExactly(key);
        assertThat(handle.mode()).isEqualTo(LockMode.EXCLUSIVE);
        assertThat(database.advisoryRows())
                .extracting(AdvisoryRow::key, AdvisoryRow::mode, AdvisoryRow::granted)
                .containsExactly(tuple(key.lockHash(), "ExclusiveLock", true));
        handle.close();
        assertThat(handle.isHeld()).isFalse();
        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void acquire_keyIsHeldByAnotherLocker_excludesUntilClose() {
        Locker first = locker();
        Locker second = locker();
        LockKey key = first.key("excluded");
        try (LockHandle ignored = first.exclusive(key).acquire()) {
            assertThat(second.exclusive(key).tryAcquire()).isEmpty();
        }
        try (LockHandle handle = second.exclusive(key).tryAcquire().orElseThrow()) {
            assertThat(first.exclusive(key).tryAcquire()).isEmpty();
            assertThat(handle.isHeld()).isTrue();
        }
    }

    @Test
    void acquire_otherKeyIsHeld_isIndependent() {
        Locker locker = locker();
        try (LockHandle ignored = locker.exclusive(locker.key("one")).acquire();
                LockHandle other =
                        locker.exclusive(locker.key("another")).tryAcquire().orElseThrow()) {
            assertThat(other.isHeld()).isTrue();
        }
    }

    @Test
    void acquire_sameNameOfAnotherApp_isIndependent() {
        Locker locker = locker();
        LockKey foreign = LockKey.of("another-app", "shared-name");
        try (LockHandle ignored = locker.exclusive(locker.key("shared-name")).acquire();
                LockHandle other = locker.exclusive(foreign).tryAcquire().orElseThrow()) {
            assertThat(other.isHeld()).isTrue();
        }
    }

    @Test
    void secondRequest_sameThread_fails() {
        Locker locker = locker();
        LockKey key = locker.key("not-reentrant");
        try (LockHandle ignored = locker.exclusive(key).acquire()) {
            assertThat(locker.exclusive(key).tryAcquire()).isEmpty();
            assertThatThrownBy(() -> locker.exclusive(key).acquire(SHORT)).isInstanceOf(LockTimeoutException.class);
            assertThatThrownBy(() -> locker.exclusive(key).waitAtMost(SHORT).run(() -> {
                        throw new AssertionError("the body must not run");
                    }))
                    .isInstanceOf(LockTimeoutException.class);
            assertThat(database.rowsOf(key)).hasSize(1);
        }
    }

    @Test
    void shared_besideShared_coexist() {
        Locker locker = locker();
        LockKey key = locker.key("readers");
        try (LockHandle first = locker.shared(key).acquire();
                LockHandle second = locker().shared(key).tryAcquire().orElseThrow()) {
            assertThat(first.mode()).isEqualTo(LockMode.SHARED);
            assertThat(second.isHeld()).isTrue();
            assertThat(database.rowsOf(key)).extracting(AdvisoryRow::mode).containsExactly("ShareLock", "ShareLock");
        }
    }

    @Test
    void shared_besideExclusive_excludeEachOther() {
        Locker locker = locker();
        LockKey key = locker.key("reader-writer");
        try (LockHandle ignored = locker.shared(key).acquire()) {
            assertThat(locker.exclusive(key).tryAcquire()).isEmpty();
            assertThat(locker.exclusive(key).tryAcquire(SHORT)).isEmpty();
        }
        try (LockHandle ignored = locker.exclusive(key).acquire()) {
            assertThat(locker.shared(key).tryAcquire()).isEmpty();
            assertThat(locker.shared(key).tryAcquire(SHORT)).isEmpty();
        }
    }

    @Test
    void exclusive_oneOfTwoReadersLeaves_stillExcluded() {
        Locker locker = locker();
        LockKey key = locker.key("two-readers");
        LockHandle first = locker.shared(key).acquire();
        LockHandle second = locker.shared(key).acquire();
        first.close();
        assertThat(locker.exclusive(key).tryAcquire()).isEmpty();
        second.close();
        assertThat(locker.exclusive(key).tryAcquire()).isPresent();
    }

    @Test
    void key_plainName_isTheKeyOfTheApp() {
        Locker locker = locker();
        assertThat(locker.app()).isEqualTo(APP);
        assertThat(locker.key("my-lock")).isEqualTo(LockKey.of(APP, "my-lock"));
        try (LockHandle ignored = locker.exclusive(locker.key("my-lock")).acquire()) {
            assertThat(locker.exclusive(LockKey.of(APP, "my-lock")).tryAcquire())
                    .isEmpty();
        }
    }

    // ---- waiting ----

    @Test
    void tryAcquire_keyIsHeld_doesNotWait() {
        Locker locker = opened(builder().waiting(WaitPolicy.forever()));
        LockKey key = locker.key("try");
        try (LockHandle ignored = locker.exclusive(key).acquire()) {
            // With the locker's wait this would never come back.
            assertThat(inBackground(() -> locker.exclusive(key).tryAcquire()))
                    .succeedsWithin(PATIENCE)
                    .isEqualTo(Optional.empty());
        }
    }

    @Test
    void tryAcquire_requestSaysWait_waits() {
        Locker locker = locker();
        LockKey key = locker.key("try-wait");
        LockRequest request = locker.exclusive(key).waitAtMost(SHORT);
        try (LockHandle ignored = locker.exclusive(key).acquire()) {
            long start = System.nanoTime();
            assertThat(request.tryAcquire()).isEmpty();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(SHORT);
        }
        assertWaitsUntilRelease(
                key,
                () -> locker.exclusive(key).waitAtMost(PATIENCE).tryAcquire().orElseThrow());
    }

    @Test
    void tryAcquire_callSaysWait_waits() {
        Locker locker = locker();
        LockKey key = locker.key("try-wait-call");
        try (LockHandle ignored = locker.exclusive(key).acquire()) {
            long start = System.nanoTime();
            assertThat(locker.exclusive(key).tryAcquire(SHORT)).isEmpty();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(SHORT);
        }
        assertWaitsUntilRelease(
                key, () -> locker.exclusive(key).tryAcquire(PATIENCE).orElseThrow());
    }

    @Test
    void acquire_releasedWithinWait_getsTheLock() {
        Locker locker = locker();
        LockKey key = locker.key("released");
        assertWaitsUntilRelease(
                key, () -> locker.exclusive(key).waitAtMost(PATIENCE).acquire());
    }

    @Test
    void acquire_forever_waitsUntilReleased() {
        Locker locker = opened(builder().waitAtMost(Duration.ZERO));
        LockKey key = locker.key("forever");
        assertWaitsUntilRelease(
                key, () -> locker.exclusive(key).waiting(WaitPolicy.forever()).acquire());
    }

    @Test
    void acquire_centuries_waitsUntilReleased() {
        Locker locker = locker();
        LockKey key = locker.key("centuries");
        assertWaitsUntilRelease(
                key, () -> locker.exclusive(key).acquire(Duration.ofSeconds(Long.MAX_VALUE, 999_999_999)));
        assertWaitsUntilRelease(key, () -> locker.exclusive(key).acquire(Duration.ofDays(400)));
    }

    private void assertWaitsUntilRelease(LockKey key, Callable<LockHandle> request) {
        // Another locker, as in another program: so the wait is in PostgreSQL.
        LockHandle holder = locker().exclusive(key).acquire();
        Future<LockHandle> waiter = inBackground(request);
        database.awaitWaiter(key);
        assertThat(waiter).isNotDone();
        holder.close();
        assertThat(waiter).succeedsWithin(PATIENCE).satisfies(handle -> {
            assertThat(handle.isHeld()).isTrue();
            assertThat(handle.attempts()).isPositive();
            assertThat(handle.waited()).isPositive();
            assertThat(database.rowsOf(key)).extracting(AdvisoryRow::granted).containsExactly(true);
            handle.close();
        });
    }

    @Test
    void acquire_zeroWait_isOneAttempt() {
        Locker locker = locker();
        LockKey key = locker.key("zero");
        try (LockHandle handle = locker.exclusive(key).acquire(Duration.ZERO)) {
            assertThat(handle.attempts()).isEqualTo(1);
            for (LockRequest request : List.of(
                    locker.exclusive(key).waitAtMost(Duration.ZERO),
                    locker.exclusive(key).waiting(WaitPolicy.none()),
                    locker.exclusive(key).waiting(WaitPolicy.polling(Duration.ofSeconds(60), Duration.ZERO)),
                    locker.shared(key).waitAtMost(Duration.ZERO))) {
                assertThat(timeoutOf(request).attempts()).isEqualTo(1);
            }
        }
    }

    @Test
    void acquire_waitRunsOut_tellsKeysAttemptsAndTime() {
        Locker locker = locker();
        LockKey key = locker.key("told");
        try (LockHandle ignored = locker.exclusive(key).acquire()) {
            LockTimeoutException timeout = timeoutOf(locker.exclusive(key).waitAtMost(SHORT));
            assertThat(timeout.keys()).containsExactly(key);
            assertThat(timeout.attempts()).isPositive();
            assertThat(timeout.waited()).isGreaterThanOrEqualTo(SHORT);
            assertThat(timeout).hasMessageContainingAll("contract.told", "exclusive", "attempt", " ms");
        }
    }

    @Test
    void defaultWait_untouched_isThirtySeconds() {
        assertThat(locker().exclusive(LockKey.of("any"))).asString().contains("at most PT30S");
    }

    @Test
    void defaultWait_ofLocker_isUsedByAcquireRunAndCall() {
        Locker locker = opened(builder().waitAtMost(SHORT));
        LockKey key = locker.key("default-wait");
        LockRequest request = locker.exclusive(key);
        try (LockHandle ignored = request.acquire()) {
            assertThat(timeoutOf(request).waited()).isGreaterThanOrEqualTo(SHORT);
            assertThat(catchThrowableOfType(
                                    LockTimeoutException.class,
                                    () -> request.run(() -> {
                                        throw new AssertionError("the body must not run");
                                    }))
                            .waited())
                    .isGreaterThanOrEqualTo(SHORT);
            assertThat(catchThrowableOfType(LockTimeoutException.class, () -> request.call(() -> "never"))
                            .waited())
                    .isGreaterThanOrEqualTo(SHORT);
        }
    }

    @Test
    void wait_ofRequest_replacesThatOfLocker() {
        Locker locker = opened(builder().waiting(WaitPolicy.forever()));
        LockKey key = locker.key("own-wait");
        LockRequest request = locker.exclusive(key);
        try (LockHandle ignored = request.acquire()) {
            assertThat(timeoutOf(request.waitAtMost(SHORT)).waited()).isGreaterThanOrEqualTo(SHORT);
        }
        assertThat(request).asString().contains("forever");
    }

    @Test
    void wait_ofCall_replacesThatOfRequest() {
        Locker locker = locker();
        LockKey key = locker.key("call-wait");
        LockRequest request = locker.exclusive(key).waiting(WaitPolicy.forever());
        try (LockHandle ignored = request.acquire()) {
            assertThatThrownBy(() -> request.acquire(SHORT)).isInstanceOf(LockTimeoutException.class);
            assertThat(request.tryAcquire(Duration.ZERO)).isEmpty();
        }
    }

    @Test
    void polling_keyStaysHeld_triesUntilItsTimeout() {
        WaitPolicy polling = WaitPolicy.polling(Duration.ofMillis(20), SHORT);
        Locker byLocker = opened(builder().waiting(polling));
        Locker byRequest = locker();
        LockKey key = byLocker.key("polled");
        try (LockHandle ignored = byLocker.exclusive(key).acquire()) {
            for (LockRequest request :
                    List.of(byLocker.exclusive(key), byRequest.exclusive(key).waiting(polling))) {
                LockTimeoutException timeout = timeoutOf(request);
                assertThat(timeout.attempts()).isBetween(2, 7);
                assertThat(timeout.waited()).isGreaterThanOrEqualTo(SHORT);
            }
            assertThat(byRequest.exclusive(key).waiting(polling).tryAcquire()).isEmpty();
        }
    }

    @Test
    void polling_keyIsReleased_handleTellsAttemptsAndTime() {
        Locker locker = locker();
        LockKey key = locker.key("polled-until-free");
        Duration delay = Duration.ofMillis(25);
        LockHandle holder = locker.exclusive(key).acquire();
        Future<LockHandle> poller = inBackground(() -> locker.exclusive(key)
                .waiting(WaitPolicy.polling(delay, PATIENCE))
                .acquire());
        await().during(delay.multipliedBy(4)).atMost(PATIENCE).until(() -> !poller.isDone());
        assertThat(database.rowsOf(key)).hasSize(1);
        holder.close();
        assertThat(poller).succeedsWithin(PATIENCE).satisfies(handle -> {
            assertThat(handle.attempts()).isGreaterThan(1);
            assertThat(handle.waited()).isGreaterThanOrEqualTo(delay.multipliedBy(handle.attempts() - 1));
            handle.close();
        });
    }

    @Test
    void acquire_serverCancelsTheStatement_waitsOn() {
        Locker locker = opened(connected(Locker.builder(APP), database.urlWith("options=-c%20statement_timeout=200")));
        LockKey key = locker.key("statement-timeout");
        Duration longer = Duration.ofMillis(700);
        LockHandle holder = locker().exclusive(key).acquire();
        assertThat(timeoutOf(locker.exclusive(key).waitAtMost(longer)).waited()).isGreaterThanOrEqualTo(longer);
        Future<LockHandle> waiter = inBackground(
                () -> locker.exclusive(key).waiting(WaitPolicy.forever()).acquire());
        await().during(longer).atMost(PATIENCE).until(() -> !waiter.isDone());
        holder.close();
        assertThat(waiter).succeedsWithin(PATIENCE).satisfies(handle -> {
            assertThat(handle.attempts()).isGreaterThan(1);
            assertThat(database.rowsOf(key)).hasSize(1);
            handle.close();
        });
    }

    @Test
    void interrupt_whilePolling_throwsWithFlagSetAndHoldsNothing() throws Exception {
        assertInterruptible(WaitPolicy.polling(Duration.ofSeconds(60), Duration.ofMinutes(5)), true);
    }

    @Test
    void interrupt_beforeTheWait_throwsWithFlagSetAndHoldsNothing() throws Exception {
        assertInterruptible(WaitPolicy.forever(), false);
    }

    private void assertInterruptible(WaitPolicy policy, boolean whileAsleep) throws Exception {
        Locker locker = locker();
        LockKey free = locker.key("interrupted-free");
        LockKey taken = locker.key("interrupted-taken");
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        try (LockHandle ignored = locker().exclusive(taken).acquire()) {
            Thread waiter = new Thread(() -> {
                if (!whileAsleep) {
                    Thread.currentThread().interrupt();
                }
                try {
                    locker.exclusive(free, taken).waiting(policy).acquire();
                    flag.completeExceptionally(new AssertionError("acquired"));
                } catch (LockInterruptedException e) {
                    flag.complete(Thread.currentThread().isInterrupted());
                } catch (RuntimeException e) {
                    flag.completeExceptionally(e);
                }
            });
            waiter.start();
            if (whileAsleep) {
                awaitAsleep(waiter);
                waiter.interrupt();
            }
            assertThat(flag).succeedsWithin(PATIENCE).isEqualTo(true);
            assertThat(database.rowsOf(free)).isEmpty();
            assertThat(database.rowsOf(taken)).hasSize(1);
        }
    }

    private static void awaitAsleep(Thread thread) {
        await().atMost(PATIENCE)
                .until(() -> thread.getState() == Thread.State.TIMED_WAITING
                        && List.of(thread.getStackTrace()).toString().contains("Gates.park"));
    }

    // ---- several keys ----

    @Test
    void severalKeys_anyOrderWithDuplicates_areTakenOnceAndAscending() {
        Locker locker = locker();
        List<LockKey> ascending = threeKeys(locker);
        LockKey low = ascending.get(0);
        LockKey middle = ascending.get(1);
        LockKey high = ascending.get(2);
        for (LockRequest request : List.of(
                locker.exclusive(high, low, middle, low, high),
                locker.exclusive(List.of(middle, high, middle, low)),
                locker.shared(high, middle, low, low),
                locker.shared(List.of(high, low, high, middle)))) {
            try (LockHandle handle = request.acquire()) {
                assertThat(handle.keys()).containsExactly(low, middle, high);
                assertThat(database.advisoryRows())
                        .extracting(AdvisoryRow::key)
                        .containsExactly(low.lockHash(), middle.lockHash(), high.lockHash());
            }
            assertThat(database.advisoryRows()).isEmpty();
        }
    }

    @Test
    void severalKeys_lastIsHeld_noneIsTaken() {
        Locker locker = locker();
        List<LockKey> keys = threeKeys(locker);
        try (LockHandle ignored = locker().exclusive(keys.get(2)).acquire()) {
            LockRequest request = locker.exclusive(keys);
            List<AdvisoryRow> before = database.advisoryRows();
            assertThat(request.tryAcquire()).isEmpty();
            assertThat(database.advisoryRows()).isEqualTo(before);
            assertThat(request.tryAcquire(SHORT)).isEmpty();
            assertThat(database.advisoryRows()).isEqualTo(before);
            assertThat(timeoutOf(request.waitAtMost(SHORT)).keys()).isEqualTo(keys);
            assertThat(database.advisoryRows()).isEqualTo(before);
            assertThat(timeoutOf(request.waiting(WaitPolicy.polling(Duration.ofMillis(20), SHORT)))
                            .attempts())
                    .isGreaterThan(1);
            assertThat(database.advisoryRows()).isEqualTo(before);
        }
        assertThat(locker.exclusive(keys).tryAcquire()).isPresent();
    }

    /**
     * Who fails on one key must not take those behind it, not even for a moment: others would miss them for nothing.
     */
    @Test
    void severalKeys_firstIsHeld_thoseBehindAreNeverRefusedToOthers() {
        Locker locker = locker();
        List<LockKey> keys = threeKeys(locker);
        try (LockHandle ignored = locker().exclusive(keys.get(0)).acquire()) {
            AtomicBoolean done = new AtomicBoolean();
            Future<Integer> failing = inBackground(() -> {
                int tries = 0;
                while (!done.get()) {
                    assertThat(locker.exclusive(keys).tryAcquire()).isEmpty();
                    tries++;
                }
                return tries;
            });
            int refused = 0;
            for (int i = 0; i < 500; i++) {
                Optional<LockHandle> last = locker.exclusive(keys.get(2)).tryAcquire();
                refused += last.isEmpty() ? 1 : 0;
                last.ifPresent(LockHandle::close);
            }
            done.set(true);
            assertThat(failing)
                    .succeedsWithin(PATIENCE)
                    .satisfies(tries -> assertThat(tries).isPositive());
            assertThat(refused).isZero();
        }
    }

    @Test
    void severalKeys_pollingBetweenTries_holdsNone() {
        Locker locker = locker();
        List<LockKey> keys = threeKeys(locker);
        try (LockHandle ignored = locker().exclusive(keys.get(2)).acquire()) {
            Thread poller = new Thread(() -> assertThatThrownBy(
                            () -> locker.exclusive(keys).waiting(SLOW_POLLING).acquire())
                    .isInstanceOf(LockInterruptedException.class));
            poller.start();
            awaitAsleep(poller);
            assertThat(database.advisoryRows()).hasSize(1);
            poller.interrupt();
            await().atMost(PATIENCE).until(() -> !poller.isAlive());
        }
    }

    @Test
    void severalKeys_oppositeOrdersAtOnce_doNotDeadlock() {
        Locker locker = locker();
        LockKey one = locker.key("left");
        LockKey two = locker.key("right");
        List<Future<Integer>> workers = List.of(
                inBackground(() -> takenTimes(locker.exclusive(one, two), 200)),
                inBackground(() -> takenTimes(locker.exclusive(two, one), 200)),
                inBackground(() -> takenTimes(locker.exclusive(List.of(two, one, two)), 200)));
        assertThat(workers)
                .allSatisfy(worker -> assertThat(worker)
                        .succeedsWithin(PATIENCE.multipliedBy(2))
                        .isEqualTo(200));
    }

    private static int takenTimes(LockRequest request, int times) {
        AtomicInteger taken = new AtomicInteger();
        for (int i = 0; i < times; i++) {
            request.waiting(WaitPolicy.forever()).run(taken::incrementAndGet);
        }
        return taken.get();
    }

    private static List<LockKey> threeKeys(Locker locker) {
        return List.of(locker.key("a"), locker.key("b"), locker.key("c")).stream()
                .sorted()
                .toList();
    }

    // ---- renamed locks ----

    @Test
    void renamedLock_oldVersionHoldsIt_isExcludedAndTheOtherWayRound() {
        Locker oldVersion = locker();
        Locker newVersion = locker();
        LockKey oldKey = LockKey.of("renamed", "invoice-run");
        try (LockHandle ignored = oldVersion.exclusive(oldKey).acquire()) {
            assertThat(newVersion.exclusive(RenamedLocks.INVOICE_CLOSE).tryAcquire())
                    .isEmpty();
            assertThat(newVersion.shared(RenamedLocks.INVOICE_CLOSE).tryAcquire(SHORT))
                    .isEmpty();
            assertThat(database.advisoryRows()).hasSize(1);
        }
        try (LockHandle handle =
                newVersion.exclusive(RenamedLocks.INVOICE_CLOSE).acquire()) {
            assertThat(handle.keys()).containsExactlyInAnyOrder(oldKey, LockKey.of("renamed", "invoice-close"));
            assertThat(oldVersion.exclusive(oldKey).tryAcquire()).isEmpty();
            assertThat(database.advisoryRows()).hasSize(2);
        }
        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void renamedFamily_oldVersionHoldsAnId_excludesThatIdOnly() {
        Locker locker = locker();
        LockFamily<Long> oldFamily = LockFamily.byLong("renamed", "acct");
        try (LockHandle ignored = locker.exclusive(oldFamily.of(42L)).acquire()) {
            assertThat(locker.exclusive(RenamedLocks.ACCOUNT.of(42L)).tryAcquire())
                    .isEmpty();
            try (LockHandle other =
                    locker.exclusive(RenamedLocks.ACCOUNT.of(43L)).tryAcquire().orElseThrow()) {
                assertThat(other.keys()).hasSize(2);
            }
        }
    }

    @Test
    void renamedLock_besideItsOldKeyInOneRequest_isTakenOnce() {
        Locker locker = locker();
        LockKey oldKey = LockKey.of("renamed", "invoice-run");
        try (LockHandle handle =
                locker.shared(oldKey, RenamedLocks.INVOICE_CLOSE, oldKey).acquire()) {
            assertThat(handle.keys()).hasSize(2).isSorted();
            assertThat(database.advisoryRows()).hasSize(2);
        }
    }

    // ---- bodies ----

    @Test
    void run_body_holdsTheLockAndReleases() {
        Locker locker = locker();
        LockKey key = locker.key("run");
        AtomicInteger ran = new AtomicInteger();
        locker.exclusive(key).run(() -> {
            assertThat(database.isHeld(key)).isTrue();
            ran.incrementAndGet();
        });
        assertThat(ran).hasValue(1);
        assertThat(database.rowsOf(key)).isEmpty();
    }

    @Test
    void run_bodyThrows_releasesAndPassesItOn() {
        Locker locker = locker();
        LockKey key = locker.key("run-throws");
        assertThatThrownBy(() -> locker.exclusive(key).run(() -> {
                    throw new IOException("of the body");
                }))
                .isExactlyInstanceOf(IOException.class)
                .hasMessage("of the body")
                .hasNoSuppressedExceptions();
        assertThat(database.rowsOf(key)).isEmpty();
    }

    @Test
    void call_body_returnsItsValueAndReleases() {
        Locker locker = locker();
        LockKey key = locker.key("call");
        assertThat(locker.exclusive(key).<Boolean, RuntimeException>call(() -> database.isHeld(key)))
                .isTrue();
        assertThat(database.rowsOf(key)).isEmpty();
    }

    @Test
    void call_bodyThrows_releasesAndPassesItOn() {
        Locker locker = locker();
        LockKey key = locker.key("call-throws");
        assertThatThrownBy(() -> locker.shared(key).call(() -> {
                    throw new SQLException("of the body");
                }))
                .isExactlyInstanceOf(SQLException.class)
                .hasMessage("of the body");
        assertThat(database.rowsOf(key)).isEmpty();
    }

    // ---- closing ----

    @Test
    void close_twice_doesNotReleaseTheNextHolder() {
        Locker locker = locker();
        LockKey key = locker.key("close-twice");
        LockHandle first = locker.exclusive(key).acquire();
        first.close();
        try (LockHandle second = locker.exclusive(key).acquire()) {
            first.close();
            assertThat(second.isHeld()).isTrue();
            assertThat(database.isHeld(key)).isTrue();
            assertThat(locker.exclusive(key).tryAcquire()).isEmpty();
        }
    }

    @Test
    void close_byAnotherThread_releases() {
        Locker locker = locker();
        LockKey key = locker.key("other-thread");
        LockHandle handle = locker.exclusive(key).acquire();
        assertThat(inBackground(() -> {
                    handle.close();
                    return handle.isHeld();
                }))
                .succeedsWithin(PATIENCE)
                .isEqualTo(false);
        assertThat(database.rowsOf(key)).isEmpty();
    }

    @Test
    void lockerClose_heldLocks_areFreedAndTheirHandlesCloseQuietly() {
        Locker locker = locker();
        LockKey key = locker.key("freed");
        LockHandle exclusive = locker.exclusive(key).acquire();
        LockHandle shared = locker.shared(locker.key("freed-too")).acquire();
        locker.close();
        assertThat(database.advisoryRows()).isEmpty();
        assertThat(exclusive.isHeld()).isFalse();
        assertThat(shared.isHeld()).isFalse();
        exclusive.close();
        shared.close();
    }

    @Test
    void lockerClose_lateHandleClose_doesNotReleaseTheNextHolder() {
        Locker locker = locker();
        LockKey key = locker.key("late");
        LockHandle handle = locker.exclusive(key).acquire();
        locker.close();
        try (LockHandle next = locker().exclusive(key).acquire()) {
            handle.close();
            assertThat(next.isHeld()).isTrue();
            assertThat(database.isHeld(key)).isTrue();
        }
    }

    @Test
    void lockerClose_thenUse_throwsLockerClosed() {
        Locker locker = locker();
        LockRequest request = locker.exclusive(locker.key("closed"));
        locker.close();
        locker.close();
        assertThatThrownBy(request::acquire)
                .isInstanceOf(LockerClosedException.class)
                .hasMessageContaining(APP);
        assertThatThrownBy(request::tryAcquire).isInstanceOf(LockerClosedException.class);
        assertThatThrownBy(() -> request.tryAcquire(SHORT)).isInstanceOf(LockerClosedException.class);
        assertThatThrownBy(() -> request.run(() -> {
                    throw new AssertionError("the body must not run");
                }))
                .isInstanceOf(LockerClosedException.class);
        assertThatThrownBy(() -> locker.shared(locker.key("closed")).acquire())
                .isInstanceOf(LockerClosedException.class);
    }

    @Test
    void lockerClose_requestInTheQueue_endsItPromptly() {
        Locker locker = locker();
        LockKey key = locker.key("queued");
        LockKey free = locker.key("queued-free");
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            Future<LockHandle> waiter = inBackground(() ->
                    locker.exclusive(key, free).waiting(WaitPolicy.forever()).acquire());
            database.awaitWaiter(key);
            locker.close();
            assertThat(waiter)
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .withCauseInstanceOf(LockerClosedException.class);
            assertThat(database.rowsOf(key)).hasSize(1);
            assertThat(database.rowsOf(free)).isEmpty();
        }
    }

    @Test
    void lockerClose_requestAsleepBetweenTries_endsItPromptly() {
        Locker locker = locker();
        LockKey key = locker.key("asleep");
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            Thread poller = new Thread(() -> {
                try {
                    locker.exclusive(key).waiting(SLOW_POLLING).acquire();
                    failure.completeExceptionally(new AssertionError("acquired"));
                } catch (RuntimeException e) {
                    failure.complete(e);
                }
            });
            poller.start();
            awaitAsleep(poller);
            try {
                locker.close();
                assertThat(failure).succeedsWithin(Duration.ofSeconds(5)).isInstanceOf(LockerClosedException.class);
            } finally {
                poller.interrupt();
            }
        }
    }

    @Test
    void lockerClose_requestBehindAnotherOfThisLocker_endsItPromptly() {
        Locker locker = locker();
        LockKey key = locker.key("behind");
        LockHandle held = locker.exclusive(key).acquire();
        Future<LockHandle> waiter = inBackground(
                () -> locker.exclusive(key).waiting(WaitPolicy.forever()).acquire());
        await().during(SHORT).atMost(PATIENCE).until(() -> !waiter.isDone());
        locker.close();
        assertThat(waiter).failsWithin(PATIENCE).withThrowableThat().withCauseInstanceOf(LockerClosedException.class);
        assertThat(held.isHeld()).isFalse();
    }

    @Test
    void lockerClose_requestWithoutASessionToWaitOn_endsItPromptly() {
        Locker locker = opened(builder().sessions(1).maxSessions(1));
        LockKey key = locker.key("the-only-session");
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            Future<LockHandle> waiter = inBackground(
                    () -> locker.exclusive(key).waiting(WaitPolicy.forever()).acquire());
            await().during(SHORT).atMost(PATIENCE).until(() -> !waiter.isDone());
            assertThat(database.rowsOf(key)).hasSize(1);
            locker.close();
            assertThat(waiter)
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .withCauseInstanceOf(LockerClosedException.class);
        }
    }

    // ---- the gate ----

    @Test
    void sameLocker_waiters_haveTheLockInTheOrderTheyCame() {
        Locker locker = locker();
        LockKey key = locker.key("in-order");
        List<Integer> order = new CopyOnWriteArrayList<>();
        List<Future<?>> waiters = new ArrayList<>();
        LockHandle holder = locker.exclusive(key).acquire();
        for (int i = 0; i < 5; i++) {
            int number = i;
            Thread[] thread = new Thread[1];
            CompletableFuture<Void> started = new CompletableFuture<>();
            waiters.add(inBackground(() -> {
                thread[0] = Thread.currentThread();
                started.complete(null);
                locker.exclusive(key).run(() -> order.add(number));
                return null;
            }));
            started.join();
            await().atMost(PATIENCE).until(() -> thread[0].getState() == Thread.State.TIMED_WAITING);
        }
        assertThat(database.rowsOf(key)).as("only the holder is in PostgreSQL").hasSize(1);
        holder.close();
        assertThat(waiters).allSatisfy(waiter -> assertThat(waiter).succeedsWithin(PATIENCE));
        assertThat(order).containsExactly(0, 1, 2, 3, 4);
        assertThat(database.rowsOf(key)).isEmpty();
    }

    @Test
    void sameLocker_laterReader_joinsTheFirstHoweverLongThatHolds() {
        Locker locker = locker();
        LockKey key = locker.key("long-reader");
        try (LockHandle first = locker.shared(key).acquire()) {
            await().pollDelay(Duration.ofMillis(60)).atMost(PATIENCE).until(first::isHeld);
            try (LockHandle second = locker.shared(key).tryAcquire().orElseThrow()) {
                assertThat(second.isHeld()).isTrue();
                assertThat(database.rowsOf(key)).as("one lock for both").hasSize(1);
            }
            assertThat(database.isHeld(key)).isTrue();
        }
    }

    @Test
    void sameLocker_readerBehindAWriterThatGivesUp_joinsTheReaders() {
        Locker locker = locker();
        LockKey key = locker.key("behind-a-writer");
        try (LockHandle ignored = locker.shared(key).acquire()) {
            Future<Optional<LockHandle>> writer =
                    inBackground(() -> locker.exclusive(key).tryAcquire(SHORT));
            await().atMost(PATIENCE).until(() -> {
                Optional<LockHandle> passed = locker.shared(key).tryAcquire();
                passed.ifPresent(LockHandle::close);
                return passed.isEmpty() || writer.isDone();
            });
            assertThat(inBackground(() -> locker.shared(key).acquire(PATIENCE)))
                    .succeedsWithin(PATIENCE)
                    .satisfies(LockHandle::close);
            assertThat(writer).succeedsWithin(PATIENCE).isEqualTo(Optional.empty());
        }
    }

    /** The loser must not wait for the winner to release. */
    @Test
    void sameLocker_twoTriesAtOnce_oneWinsAndTheOtherReturns() {
        Locker locker = locker();
        for (int round = 0; round < 200; round++) {
            LockRequest request = locker.exclusive(locker.key("two-tries"));
            List<Future<Optional<LockHandle>>> tries =
                    List.of(inBackground(request::tryAcquire), inBackground(request::tryAcquire));
            List<LockHandle> won = new ArrayList<>();
            for (Future<Optional<LockHandle>> attempt : tries) {
                assertThat(attempt).succeedsWithin(PATIENCE).satisfies(handle -> handle.ifPresent(won::add));
            }
            assertThat(won).hasSize(1);
            won.get(0).close();
        }
    }

    @Test
    void sameLocker_exclusiveBetweenReaders_isNotPassed() {
        Locker locker = locker();
        LockKey key = locker.key("not-passed");
        LockHandle reader = locker.shared(key).acquire();
        Future<LockHandle> writer = inBackground(() -> locker.exclusive(key).acquire(PATIENCE));
        await().atMost(PATIENCE).until(() -> {
            Optional<LockHandle> passed = locker.shared(key).tryAcquire();
            passed.ifPresent(LockHandle::close);
            return passed.isEmpty();
        });
        assertThat(writer).isNotDone();
        reader.close();
        assertThat(writer).succeedsWithin(PATIENCE).satisfies(handle -> {
            assertThat(locker.shared(key).tryAcquire()).isEmpty();
            handle.close();
        });
        assertThat(locker.shared(key).tryAcquire()).isPresent();
    }

    @Test
    void interrupt_whileWaiting_throwsPromptlyAndLeavesNothingBehind() {
        Locker locker = locker();
        LockKey elsewhere = locker.key("held-elsewhere");
        LockKey here = locker.key("held-here");
        try (LockHandle ignored = locker().exclusive(elsewhere).acquire();
                LockHandle alsoIgnored = locker.exclusive(here).acquire()) {
            for (LockKey key : List.of(elsewhere, here)) {
                CompletableFuture<Boolean> flag = new CompletableFuture<>();
                Thread waiter = new Thread(() -> {
                    try {
                        locker.exclusive(key).waiting(WaitPolicy.forever()).acquire();
                        flag.completeExceptionally(new AssertionError("acquired"));
                    } catch (LockInterruptedException e) {
                        flag.complete(Thread.currentThread().isInterrupted());
                    } catch (RuntimeException e) {
                        flag.completeExceptionally(e);
                    }
                });
                waiter.start();
                if (key.equals(elsewhere)) {
                    database.awaitWaiter(key);
                } else {
                    await().atMost(PATIENCE).until(() -> waiter.getState() == Thread.State.WAITING);
                }
                waiter.interrupt();
                assertThat(flag).succeedsWithin(Duration.ofSeconds(5)).isEqualTo(true);
                await().atMost(PATIENCE).until(() -> database.rowsOf(key).size() == 1);
            }
        }
        assertThat(locker.exclusive(elsewhere, here).tryAcquire()).isPresent();
    }

    @Test
    void lockerClose_whileManyAcquire_leavesNothingHeld() {
        Locker locker = locker();
        List<Future<Object>> workers = new ArrayList<>();
        AtomicInteger taken = new AtomicInteger();
        for (int i = 0; i < 6; i++) {
            LockKey key = locker.key("churn-" + i % 3);
            workers.add(inBackground(() -> {
                while (true) {
                    locker.exclusive(key).acquire().close();
                    taken.incrementAndGet();
                }
            }));
        }
        await().atMost(PATIENCE).until(() -> taken.get() > 100);
        locker.close();
        assertThat(workers)
                .allSatisfy(worker -> assertThat(worker)
                        .failsWithin(PATIENCE)
                        .withThrowableThat()
                        .withCauseInstanceOf(LockerClosedException.class));
        database.awaitNoAdvisoryRow();
    }

    @Test
    void handle_unreachable_isReleased() {
        Locker locker = locker();
        LockKey forgotten = locker.key("forgotten");
        LockKey kept = locker.key("kept");
        try (LockHandle handle = locker.exclusive(kept).acquire()) {
            acquireAndForget(locker, forgotten);
            await().atMost(PATIENCE).until(() -> {
                System.gc();
                return database.rowsOf(forgotten).isEmpty();
            });
            assertThat(database.isHeld(kept)).isTrue();
            assertThat(handle.isHeld()).isTrue();
        }
        assertThat(locker.exclusive(forgotten).tryAcquire()).isPresent();
    }

    private void acquireAndForget(Locker locker, LockKey key) {
        assertThat(locker.exclusive(key).acquire().isHeld()).isTrue();
        assertThat(database.isHeld(key)).isTrue();
    }

    // ---- losing ----

    @Test
    void close_sessionWasTerminated_throwsLockLostAndTheNextRequestWorks() {
        Locker locker = locker();
        LockKey key = locker.key("lost");
        LockHandle handle = locker.exclusive(key).acquire();
        database.terminateHolder(key);
        assertThatThrownBy(handle::close)
                .isInstanceOfSatisfying(
                        LockLostException.class, lost -> assertThat(lost.keys()).containsExactly(key))
                .hasMessageContaining("contract.lost");
        assertThat(handle.isHeld()).isFalse();
        handle.close();
        try (LockHandle next = locker.exclusive(key).acquire()) {
            assertThat(next.isHeld()).isTrue();
            assertThat(database.rowsOf(key)).hasSize(1);
        }
    }

    @Test
    void close_sessionWasTerminatedAndTheBodyThrows_lossIsSuppressed() {
        Locker locker = locker();
        LockKey key = locker.key("lost-in-body");
        assertThatThrownBy(() -> {
                    try (LockHandle ignored = locker.exclusive(key).acquire()) {
                        database.terminateHolder(key);
                        throw new IllegalStateException("of the body");
                    }
                })
                .isExactlyInstanceOf(IllegalStateException.class)
                .satisfies(e -> assertThat(e.getSuppressed()).singleElement().isInstanceOf(LockLostException.class));
        assertThatThrownBy(() -> locker.exclusive(key).run(() -> {
                    database.terminateHolder(key);
                    throw new IOException("of the body");
                }))
                .isExactlyInstanceOf(IOException.class)
                .satisfies(e -> assertThat(e.getSuppressed()).singleElement().isInstanceOf(LockLostException.class));
    }

    @Test
    void close_serverRefusesToUnlock_cutsTheSession() {
        database.whereUnlockIsRefused(url -> {
            try (Locker locker = connected(Locker.builder(APP), url)
                    .withoutServerProbe()
                    .sessions(1)
                    .build()) {
                LockRequest request = locker.exclusive(locker.key("cut"));
                for (int i = 0; i < 3; i++) {
                    LockHandle handle = request.acquire(PATIENCE);
                    assertThatThrownBy(handle::close).isInstanceOf(LockException.class);
                    assertThat(handle.isHeld()).isFalse();
                }
            }
        });
    }

    @Test
    void acquire_waitersSessionIsTerminated_throwsAndHoldsNothing() {
        Locker locker = locker();
        LockKey key = locker.key("waiter-terminated");
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            Future<LockHandle> waiter = inBackground(
                    () -> locker.exclusive(key).waiting(WaitPolicy.forever()).acquire());
            database.awaitWaiter(key);
            int pid = database.rowsOf(key).stream()
                    .filter(row -> !row.granted())
                    .findFirst()
                    .orElseThrow()
                    .pid();
            database.execute("select pg_terminate_backend(" + pid + ")");
            assertThat(waiter)
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOfSatisfying(
                            LockDatabaseException.class,
                            e -> assertThat(e.sqlState()).isEqualTo("57P01"));
            assertThat(database.rowsOf(key)).hasSize(1);
        }
        assertThat(locker.exclusive(key).tryAcquire()).isPresent();
    }

    // ---- load ----

    @Test
    void load_incrementsUnderTheLock_loseNothing() {
        Locker locker = locker();
        LockKey key = locker.key("counter");
        LoadTest load = new LoadTest(database, threads);
        assertThat(load.countedWith(work -> locker.exclusive(key).run(work))).isEqualTo(LoadTest.EXPECTED);
    }

    /** A rolling deployment: half of the programs know the lock by its old name, half by both. */
    @Test
    void load_oldAndNewVersionOfARenamedLock_loseNothing() {
        Locker locker = locker();
        LockKey oldKey = LockKey.of("renamed", "invoice-run");
        AtomicInteger turn = new AtomicInteger();
        LoadTest load = new LoadTest(database, threads);
        assertThat(load.countedWith(
                        work -> locker.exclusive(turn.getAndIncrement() % 2 == 0 ? oldKey : RenamedLocks.INVOICE_CLOSE)
                                .run(work)))
                .isEqualTo(LoadTest.EXPECTED);
    }

    @Test
    void load_renamedWithoutFormerly_losesUpdates() {
        Locker locker = locker();
        AtomicInteger turn = new AtomicInteger();
        assertLosesUpdates(work -> locker.exclusive(
                        locker.key(turn.getAndIncrement() % 2 == 0 ? "invoice-run" : "invoice-close"))
                .run(work));
    }

    @Test
    void load_incrementsWithoutTheLock_loseUpdates() {
        assertLosesUpdates(LockRequest.Body::run);
    }

    private void assertLosesUpdates(LoadTest.Guard guard) {
        LoadTest load = new LoadTest(database, threads);
        int rounds = 20;
        boolean lost = false;
        for (int i = 0; i < rounds && !lost; i++) {
            lost = load.countedWith(guard) < LoadTest.EXPECTED;
        }
        assertThat(lost)
                .as("the load must break without one lock for all, or it shows nothing")
                .isTrue();
    }

    /** Threads that read a counter, and write what they have read plus one. */
    private record LoadTest(TestDatabase database, ExecutorService threads) {
        private static final int THREADS = 8;
        private static final int INCREMENTS = 40;
        static final int EXPECTED = THREADS * INCREMENTS;

        interface Guard {
            void around(LockRequest.Body<SQLException> work) throws SQLException;
        }

        int countedWith(Guard guard) {
            database.execute("drop table if exists counter");
            database.execute("create table counter as select 0 as value");
            List<Future<?>> workers = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                workers.add(threads.submit(() -> {
                    increment(guard);
                    return null;
                }));
            }
            assertThat(workers).allSatisfy(worker -> assertThat(worker).succeedsWithin(PATIENCE.multipliedBy(2)));
            try (Connection connection = DriverManager.getConnection(database.url())) {
                return value(connection);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        private void increment(Guard guard) throws SQLException {
            try (Connection connection = DriverManager.getConnection(database.url());
                    Statement statement = connection.createStatement()) {
                for (int i = 0; i < INCREMENTS; i++) {
                    guard.around(() -> statement.execute("update counter set value = " + (value(connection) + 1)));
                }
            }
        }

        private static int value(Connection connection) throws SQLException {
            try (Statement statement = connection.createStatement();
                    ResultSet result = statement.executeQuery("select value from counter")) {
                result.next();
                return result.getInt(1);
            }
        }
    }

    private static LockTimeoutException timeoutOf(LockRequest request) {
        return catchThrowableOfType(LockTimeoutException.class, request::acquire);
    }

    private <T> Future<T> inBackground(Callable<T> work) {
        return threads.submit(work);
    }
}
