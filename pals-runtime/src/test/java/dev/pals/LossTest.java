package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pals.key.LockKey;
import dev.pals.lock.LockEvent;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockMode;
import dev.pals.lock.WaitPolicy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A session ends before its locks are released: who is told, how often, and what its handles do then. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class LossTest extends LockerFixture {
    private static final Logger LOG = LoggerFactory.getLogger(LossTest.class);
    /** Several rounds of the watchdog's, in which it could tell somebody again. */
    private static final long ROUNDS_NANOS = TimeUnit.MILLISECONDS.toNanos(800);

    LossTest(TestDatabase database) {
        super(database, "loss");
    }

    @Override
    LockerBuilder builder() {
        return super.builder().sessions(1);
    }

    /** What the listener of one handle was told. */
    private static final class Told {
        private final Queue<LockLostException> losses = new ConcurrentLinkedQueue<>();
        private volatile long lastAt;

        static Told by(LockHandle handle) {
            Told told = new Told();
            handle.onLost(told::add);
            return told;
        }

        private void add(LockLostException loss) {
            lastAt = System.nanoTime();
            losses.add(loss);
        }

        int times() {
            return losses.size();
        }

        LockLostException awaited() {
            await().atMost(PATIENCE).until(() -> !losses.isEmpty());
            return losses.element();
        }
    }

    // ---- the handle and its listeners ----

    @Test
    void session_terminated_tellsTheHolderOnceAndWhy() {
        Locker locker = locker();
        LockKey key = locker.key("terminated");
        LockHandle handle = locker.exclusive(key).acquire();
        Told told = Told.by(handle);
        assertThat(handle.isHeld()).isTrue();

        long start = System.nanoTime();
        database.terminateHolder(key);
        LockLostException loss = told.awaited();

        assertThat(handle.isHeld()).isFalse();
        assertThat(loss).hasCauseInstanceOf(SQLException.class).hasMessageContaining(key.toString());
        assertThat(loss.keys()).containsExactly(key);
        LOG.info(
                "A terminated session was known to its holder {} ms after the command to end it",
                TimeUnit.NANOSECONDS.toMillis(told.lastAt - start));
        assertThatThrownBy(handle::close).isSameAs(loss);
        handle.close();
        LockSupport.parkNanos(ROUNDS_NANOS);
        assertThat(told.times()).isEqualTo(1);
    }

    @Test
    void listeners_ofAllHandlesOfASession_areToldOnceEach() {
        Locker locker = locker();
        LockKey key = locker.key("one-of-many");
        List<LockHandle> handles = new ArrayList<>();
        handles.add(locker.exclusive(key).acquire());
        handles.add(locker.exclusive(locker.key("first-of-two"), locker.key("second-of-two"))
                .acquire());
        handles.add(locker.shared(locker.key("shared")).acquire());
        handles.add(locker.shared(locker.key("shared")).acquire());
        IntStream.range(0, 20)
                .mapToObj(i -> locker.exclusive(locker.key("more-" + i)).acquire())
                .forEach(handles::add);
        List<Told> told = handles.stream().map(Told::by).toList();
        LockHandle released = locker.exclusive(locker.key("released-before")).acquire();
        Told ofReleased = Told.by(released);
        released.close();

        database.terminateHolder(key);
        told.forEach(Told::awaited);
        LockSupport.parkNanos(ROUNDS_NANOS);

        assertThat(told).allMatch(each -> each.times() == 1);
        assertThat(handles).noneMatch(LockHandle::isHeld);
        assertThat(told.get(1).awaited().keys())
                .isEqualTo(handles.get(1).keys())
                .hasSize(2);
        assertThat(ofReleased.times()).isZero();
        handles.forEach(handle -> assertThatThrownBy(handle::close).isInstanceOf(LockLostException.class));
        assertThatCode(released::close).doesNotThrowAnyException();
    }

    @Test
    void loss_afterTheLockWasConfirmed_isThrownOnce() {
        Locker locker = locker();
        LockKey key = locker.key("confirmed-before");
        LockHandle handle = locker.exclusive(key).acquire();
        LockHandle confirmedTwice =
                locker.exclusive(locker.key("confirmed-twice")).acquire();
        Told told = Told.by(handle);
        Told ofOther = Told.by(confirmedTwice);
        handle.confirm();
        confirmedTwice.confirm();

        database.terminateHolder(key);
        LockLostException loss = told.awaited();

        assertThatThrownBy(handle::close).isSameAs(loss);
        handle.close();
        LockLostException lossOfOther = ofOther.awaited();
        assertThatThrownBy(confirmedTwice::confirm).isSameAs(lossOfOther);
        confirmedTwice.close();
    }

    @Test
    void listener_registeredAfterTheLoss_isToldAtOnce() {
        Locker locker = locker();
        LockKey key = locker.key("registered-late");
        LockHandle handle = locker.exclusive(key).acquire();
        Told early = Told.by(handle);
        database.terminateHolder(key);
        LockLostException loss = early.awaited();

        Told beforeClose = Told.by(handle);
        assertThat(beforeClose.awaited()).isSameAs(loss);
        assertThatThrownBy(handle::close).isSameAs(loss);
        Told afterClose = Told.by(handle);
        assertThat(afterClose.awaited()).isSameAs(loss);
        assertThat(List.of(early, beforeClose, afterClose)).allMatch(told -> told.times() == 1);
    }

    @Test
    void listener_thatThrows_keepsNobodyFromBeingTold() {
        Locker locker = locker();
        LockKey key = locker.key("throwing");
        LockHandle handle = locker.exclusive(key).acquire();
        LockHandle other = locker.exclusive(locker.key("beside-throwing")).acquire();
        handle.onLost(loss -> {
            throw new IllegalStateException("a listener's own exception, as part of a test");
        });
        Told second = Told.by(handle);
        handle.onLost(loss -> {
            throw new AssertionError("a listener's own error, as part of a test");
        });
        Told fourth = Told.by(handle);
        Told ofOther = Told.by(other);

        database.terminateHolder(key);

        assertThat(List.of(second, fourth, ofOther)).allSatisfy(Told::awaited);
        assertThatThrownBy(handle::close).isInstanceOf(LockLostException.class);
        try (LockHandle next = locker.exclusive(key).acquire()) {
            assertThat(next.isHeld()).isTrue();
        }
    }

    // ---- close() ----

    @Test
    void close_ofALostHandle_isSuppressedByTheExceptionOfTheBody() {
        Locker locker = locker();
        LockKey key = locker.key("suppressed");
        IllegalStateException ofBody = new IllegalStateException("of the body");

        assertThatThrownBy(() -> locker.exclusive(key).run(() -> {
                    database.terminateHolder(key);
                    throw ofBody;
                }))
                .isSameAs(ofBody);

        assertThat(ofBody.getSuppressed())
                .singleElement()
                .isInstanceOfSatisfying(
                        LockLostException.class, loss -> assertThat(loss.keys()).containsExactly(key));
    }

    /** So soon that it is the release itself that finds out. */
    @Test
    void close_atOnceAfterTheLoss_throwsAndTellsOnce() {
        Locker locker = locker();
        for (int i = 0; i < 5; i++) {
            LockKey key = locker.key("released-at-once");
            LockHandle handle = locker.exclusive(key).acquire();
            Told told = Told.by(handle);
            // Waits until it has ended.
            database.execute("select pg_terminate_backend("
                    + database.rowsOf(key).get(0).pid() + ", " + PATIENCE.toMillis() + ")");
            assertThatThrownBy(handle::close).isInstanceOf(LockLostException.class);
            told.awaited();
            assertThat(told.times()).isEqualTo(1);
        }
    }

    @Test
    void locker_closedWithLocks_tellsOfNoLoss() {
        NotedEvents noted = new NotedEvents();
        Locker locker = opened(builder().listener(noted));
        LockHandle handle = locker.exclusive(locker.key("closed")).acquire();
        Told told = Told.by(handle);

        locker.close();

        assertThat(handle.isHeld()).isFalse();
        assertThatCode(handle::close).doesNotThrowAnyException();
        database.awaitNoAdvisoryRow();
        assertThat(told.times()).isZero();
        assertThat(noted.of("lost")).isEmpty();
    }

    // ---- who waits ----

    @Test
    void waiters_ofThisAndOfAnotherProgram_getTheLockAfterTheLoss() {
        Locker locker = locker();
        Locker another = locker();
        LockKey key = locker.key("waited-for");
        LockHandle lost = locker.exclusive(key).acquire();
        CompletableFuture<Integer> turns = new CompletableFuture<>();
        Queue<Locker> granted = new ConcurrentLinkedQueue<>();
        List<Thread> waiters = IntStream.range(0, 6)
                .mapToObj(i -> new Thread(() -> {
                    Locker mine = i % 2 == 0 ? locker : another;
                    mine.exclusive(key).waiting(WaitPolicy.forever()).run(() -> granted.add(mine));
                    if (granted.size() == 6) {
                        turns.complete(granted.size());
                    }
                }))
                .toList();
        waiters.forEach(Thread::start);
        await().atMost(PATIENCE)
                .until(() -> waiters.stream().allMatch(thread -> thread.getState() == Thread.State.WAITING));
        database.awaitWaiter(key);

        database.terminateHolder(key);

        assertThat(turns).succeedsWithin(PATIENCE);
        assertThat(granted.stream().filter(locker::equals)).hasSize(3);
        assertThatThrownBy(lost::close).isInstanceOf(LockLostException.class);
    }

    @Test
    void closeOfALostHandle_doesNotTouchTheLockOfTheNext() {
        Locker locker = locker();
        LockKey key = locker.key("next");
        LockHandle lost = locker.exclusive(key).acquire();
        database.terminateHolder(key);
        try (LockHandle next = locker.exclusive(key).acquire()) {
            assertThatThrownBy(lost::close).isInstanceOf(LockLostException.class);
            assertThat(database.isHeld(key)).isTrue();
            assertThat(next.isHeld()).isTrue();
        }
    }

    /** Its session is another one than that of the locks that are free when asked for. */
    @Test
    void session_thatWaitedForItsLock_isWatchedAsWell() throws Exception {
        Locker locker = locker();
        LockKey key = locker.key("got-by-waiting");
        CompletableFuture<LockHandle> waited;
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            waited = locker.exclusive(key).acquireAsync().toCompletableFuture();
            database.awaitWaiter(key);
        }
        LockHandle handle = waited.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        LockHandle onAnother = locker.exclusive(locker.key("got-at-once")).acquire();
        Told told = Told.by(handle);
        Told ofAnother = Told.by(onAnother);

        database.terminateHolder(key);

        assertThat(told.awaited()).hasCauseInstanceOf(SQLException.class);
        assertThat(handle.isHeld()).isFalse();
        assertThatThrownBy(handle::close).isInstanceOf(LockLostException.class);
        assertThat(onAnother.isHeld()).as("the lock on another session").isTrue();
        onAnother.close();
        LockSupport.parkNanos(ROUNDS_NANOS);
        assertThat(told.times()).isEqualTo(1);
        assertThat(ofAnother.times()).isZero();
    }

    // ---- the locker's listener ----

    @Test
    void lockListener_ofTheLocker_isToldOfALossOnce() {
        NotedEvents noted = new NotedEvents();
        Locker locker = opened(builder().listener(noted));
        LockKey key = locker.key("listened-to");
        LockHandle both = locker.shared(key, locker.key("listened-to-as-well")).acquire();
        LockHandle found = locker.shared(key).acquire();
        database.terminateHolder(key);

        await().atMost(PATIENCE).until(() -> noted.of("lost").size() >= 2);
        assertThatThrownBy(both::close).isInstanceOf(LockLostException.class);
        assertThatThrownBy(found::close).isInstanceOf(LockLostException.class);
        both.close();
        LockSupport.parkNanos(ROUNDS_NANOS);

        assertThat(noted.of("lost")).hasSize(2).allSatisfy(event -> {
            assertThat(event.app()).isEqualTo("loss");
            assertThat(event.mode()).isEqualTo(LockMode.SHARED);
            assertThat(event.cause()).containsInstanceOf(SQLException.class);
            assertThat(event.duration()).isGreaterThan(Duration.ZERO);
        });
        assertThat(noted.of("lost")).extracting(LockEvent::keys).containsExactlyInAnyOrder(both.keys(), found.keys());
        assertThat(noted.of("released")).isEmpty();
    }
}
