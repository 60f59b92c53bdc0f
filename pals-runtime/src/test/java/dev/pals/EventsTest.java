package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pals.key.LockKey;
import dev.pals.lock.LockEvent;
import dev.pals.lock.LockFlightRecorder;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockListener;
import dev.pals.lock.LockLog;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.WaitPolicy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a locker tells its listeners. */
final class EventsTest extends LockerFixture {
    private static final String APP = "events";
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final LockKey KEY = LockKey.of(APP, "key");
    private static final LockKey OTHER = LockKey.of(APP, "other");
    private static final List<LockKey> BOTH =
            List.of(KEY, OTHER).stream().sorted().toList();

    @TempDir
    Path directory;

    EventsTest(TestDatabase database) {
        super(database, APP);
    }

    private record Told(String what, LockEvent event) {}

    /** Notes what it is told. */
    private static final class Noting implements LockListener {
        private final List<Told> told = new CopyOnWriteArrayList<>();

        private List<String> names() {
            return told.stream().map(Told::what).toList();
        }

        private List<LockEvent> of(String what) {
            return told.stream()
                    .filter(each -> each.what().equals(what))
                    .map(Told::event)
                    .toList();
        }

        @Override
        public void acquired(LockEvent event) {
            told.add(new Told("acquired", event));
        }

        @Override
        public void waited(LockEvent event) {
            told.add(new Told("waited", event));
        }

        @Override
        public void handedOff(LockEvent event) {
            told.add(new Told("handedOff", event));
        }

        @Override
        public void timedOut(LockEvent event) {
            told.add(new Told("timedOut", event));
        }

        @Override
        public void lost(LockEvent event) {
            told.add(new Told("lost", event));
        }

        @Override
        public void released(LockEvent event) {
            told.add(new Told("released", event));
        }
    }

    private final Noting noting = new Noting();

    private Locker telling() {
        return opened(builder().listener(noting));
    }

    private static void assertIs(LockEvent event, LockMode mode, List<LockKey> keys) {
        assertThat(event.app()).isEqualTo(APP);
        assertThat(event.mode()).isEqualTo(mode);
        assertThat(event.keys()).isEqualTo(keys);
        assertThat(event.duration()).isGreaterThanOrEqualTo(Duration.ZERO);
        assertThat(event.cause()).isEmpty();
    }

    // ---- acquired and released ----

    @Test
    void acquire_freeKey_tellsAcquiredAndThenReleased() {
        LockHandle handle = telling().exclusive(KEY).acquire();
        assertThat(noting.names()).containsExactly("acquired");
        handle.close();
        handle.close();
        assertThat(noting.names()).containsExactly("acquired", "released");
        assertThat(noting.told).allSatisfy(told -> {
            assertIs(told.event(), LockMode.EXCLUSIVE, List.of(KEY));
            assertThat(told.event().attempts()).isEqualTo(1);
        });
        assertThat(noting.of("acquired").get(0).duration()).isEqualTo(handle.waited());
    }

    @Test
    void acquire_severalKeysShared_tellsOfAllInOne() {
        Locker locker = telling();
        locker.shared(OTHER, KEY).acquire().close();
        locker.exclusive(RenamedLocks.INVOICE_CLOSE).acquire().close();
        assertThat(noting.names()).containsExactly("acquired", "released", "acquired", "released");
        noting.told.subList(0, 2).forEach(told -> assertIs(told.event(), LockMode.SHARED, BOTH));
        assertThat(noting.told.get(2).event().keys())
                .containsExactlyInAnyOrder(
                        RenamedLocks.INVOICE_CLOSE,
                        RenamedLocks.INVOICE_CLOSE.formerly().orElseThrow());
    }

    @Test
    void released_tellsHowLongTheLockWasHeld() throws InterruptedException {
        LockHandle handle = telling().exclusive(KEY).acquire();
        Thread.sleep(30);
        handle.close();
        assertThat(noting.of("released").get(0).duration()).isGreaterThanOrEqualTo(Duration.ofMillis(30));
    }

    @Test
    void acquireAsync_tellsTheSame() {
        Locker locker = telling();
        LockHandle first =
                locker.exclusive(KEY).acquireAsync().toCompletableFuture().join();
        CompletableFuture<LockHandle> second =
                locker.exclusive(KEY).acquireAsync().toCompletableFuture();
        await().during(SHORT).atMost(PATIENCE).until(() -> !second.isDone());
        first.close();
        assertThat(second).succeedsWithin(PATIENCE).satisfies(LockHandle::close);
        assertThat(noting.names()).containsSubsequence("acquired", "waited", "acquired", "released");
        assertThat(noting.of("acquired")).hasSize(2);
        assertThat(noting.of("released")).hasSize(2);
        assertThat(noting.of("waited"))
                .singleElement()
                .satisfies(event -> assertThat(event.duration()).isGreaterThanOrEqualTo(SHORT));
    }

    // ---- waiting ----

    @Test
    void acquire_keyIsHeld_tellsWaitedAndThenAcquired() throws Exception {
        Locker locker = telling();
        LockHandle holder = locker().exclusive(KEY).acquire();
        Future<LockHandle> waiter = inBackground(() -> locker.exclusive(KEY).acquire(PATIENCE));
        database.awaitWaiter(KEY);
        await().during(SHORT).atMost(PATIENCE).until(() -> noting.told.isEmpty());
        holder.close();
        waiter.get().close();
        assertThat(noting.names()).containsExactly("waited", "acquired", "released");
        assertThat(noting.told).allSatisfy(told -> {
            assertIs(told.event(), LockMode.EXCLUSIVE, List.of(KEY));
            assertThat(told.event().attempts()).isGreaterThan(1);
        });
        assertThat(noting.of("waited").get(0).duration()).isGreaterThanOrEqualTo(SHORT);
    }

    @Test
    void acquire_waitRunsOut_tellsWaitedAndThenTimedOut() {
        Locker locker = telling();
        try (LockHandle ignored = locker().exclusive(KEY).acquire()) {
            assertThatThrownBy(() -> locker.shared(KEY, OTHER).acquire(SHORT)).isInstanceOf(LockTimeoutException.class);
            assertThat(locker.shared(KEY, OTHER).tryAcquire(SHORT)).isEmpty();
        }
        assertThat(noting.names()).containsExactly("waited", "timedOut", "waited", "timedOut");
        assertThat(noting.told).allSatisfy(told -> {
            assertIs(told.event(), LockMode.SHARED, BOTH);
            assertThat(told.event().duration()).isGreaterThanOrEqualTo(SHORT);
            assertThat(told.event().attempts()).isPositive();
        });
    }

    @Test
    void acquire_pollingRunsOut_tellsWaitedAndThenTimedOut() {
        Locker locker = telling();
        LockRequest polling = locker.exclusive(KEY).waiting(WaitPolicy.polling(Duration.ofMillis(10), SHORT));
        try (LockHandle ignored = locker().exclusive(KEY).acquire()) {
            assertThat(polling.tryAcquire()).isEmpty();
        }
        assertThat(noting.names()).containsExactly("waited", "timedOut");
        assertThat(noting.of("timedOut").get(0).attempts()).isGreaterThan(1);
    }

    @Test
    void tryAcquire_keyIsHeld_tellsNothing() {
        Locker locker = telling();
        try (LockHandle ignored = locker().exclusive(KEY).acquire()) {
            assertThat(locker.exclusive(KEY).tryAcquire()).isEmpty();
            assertThat(locker.exclusive(KEY).tryAcquire(Duration.ZERO)).isEmpty();
            assertThat(locker.exclusive(KEY)
                            .tryAcquireAsync()
                            .toCompletableFuture()
                            .join())
                    .isEmpty();
        }
        assertThat(noting.told).isEmpty();
        locker.exclusive(KEY).acquire().close();
        assertThat(noting.names()).as("the listener works").hasSize(2);
    }

    @Test
    void acquireAsync_cancelled_isNeitherAcquiredNorTimedOut() {
        Locker locker = telling();
        try (LockHandle ignored = locker().exclusive(KEY).acquire()) {
            CompletableFuture<LockHandle> waiter =
                    locker.exclusive(KEY).acquireAsync().toCompletableFuture();
            database.awaitWaiter(KEY);
            waiter.cancel(true);
            await().atMost(PATIENCE).until(() -> database.rowsOf(KEY).size() == 1);
        }
        assertThat(noting.names()).doesNotContain("acquired", "timedOut", "released");
    }

    // ---- hand-offs ----

    @Test
    void handOff_inTheProgram_isToldOfTheOneThatHasTheLockFromAnother() {
        Locker locker = telling();
        // Not each time: a hand-off more than 20 ms after the grant is none.
        await().atMost(PATIENCE).until(() -> {
            noting.told.clear();
            LockHandle first = locker.exclusive(KEY).acquire();
            assertThat(noting.names()).as("a first acquire").containsExactly("acquired");
            CompletableFuture<LockHandle> second =
                    locker.exclusive(KEY).acquireAsync().toCompletableFuture();
            first.close();
            second.join().close();
            return !noting.of("handedOff").isEmpty();
        });
        assertThat(noting.names()).containsSubsequence("acquired", "handedOff", "acquired", "released");
        assertThat(noting.of("handedOff")).singleElement().satisfies(event -> {
            assertIs(event, LockMode.EXCLUSIVE, List.of(KEY));
            assertThat(event.attempts()).isZero();
            assertThat(event.duration()).isPositive();
        });
        assertThat(noting.of("acquired")).hasSize(2);
    }

    @Test
    void handOff_betweenPrograms_isNone() throws Exception {
        Locker locker = telling();
        LockHandle held = locker.exclusive(KEY).acquire();
        for (int i = 0; i < 4; i++) {
            Locker next = i % 2 == 0 ? opened(builder().listener(noting)) : locker;
            Future<LockHandle> waiter = inBackground(() -> next.exclusive(KEY).acquire(PATIENCE));
            database.awaitWaiter(KEY);
            held.close();
            held = waiter.get();
        }
        held.close();
        assertThat(noting.names()).doesNotContain("handedOff");
        assertThat(noting.of("acquired")).hasSize(5);
    }

    // ---- losses ----

    @Test
    void lost_sessionWasTerminated_isToldOnceWithTheCauseAndReleasedIsNot() {
        Locker locker = telling();
        LockHandle handle = locker.exclusive(BOTH).acquire();
        List<LockLostException> toldToHandle = new CopyOnWriteArrayList<>();
        handle.onLost(toldToHandle::add);
        database.terminateHolder(KEY);
        await().atMost(PATIENCE).until(() -> !noting.of("lost").isEmpty() && !toldToHandle.isEmpty());
        assertThatThrownBy(handle::close).isInstanceOf(LockLostException.class);
        handle.close();
        // What comes after would be told before this one.
        locker.exclusive(OTHER).acquire().close();
        assertThat(noting.names()).containsExactly("acquired", "lost", "acquired", "released");
        LockEvent lost = noting.of("lost").get(0);
        assertThat(lost.app()).isEqualTo(APP);
        assertThat(lost.keys()).isEqualTo(BOTH);
        assertThat(lost.mode()).isEqualTo(LockMode.EXCLUSIVE);
        assertThat(lost.attempts()).isEqualTo(1);
        assertThat(lost.duration()).isPositive();
        assertThat(lost.cause())
                .hasValueSatisfying(cause -> assertThat(cause)
                        .isInstanceOf(SQLException.class)
                        .isSameAs(toldToHandle.get(0).getCause()));
        assertThat(toldToHandle).hasSize(1);
    }

    @Test
    void lost_foundOutByTheRelease_isToldOnceAndReleasedIsNot() {
        Locker locker = telling();
        LockHandle handle = locker.exclusive(KEY).acquire();
        database.terminateHolder(KEY);
        assertThatThrownBy(handle::close).isInstanceOf(LockLostException.class);
        await().atMost(PATIENCE).until(() -> !noting.of("lost").isEmpty());
        locker.exclusive(OTHER).acquire().close();
        assertThat(noting.of("lost")).hasSize(1);
        assertThat(noting.of("released"))
                .singleElement()
                .satisfies(event -> assertThat(event.keys()).containsExactly(OTHER));
    }

    // ---- listeners ----

    @Test
    void listeners_several_areToldInTheOrderInWhichTheyWereGiven() {
        List<String> told = new CopyOnWriteArrayList<>();
        Locker locker = opened(builder().listener(naming("a", told)).listener(naming("b", told)));
        locker.exclusive(KEY).acquire().close();
        assertThat(told).containsExactly("a acquired", "b acquired", "a released", "b released");
    }

    private static LockListener naming(String name, List<String> told) {
        return new LockListener() {
            @Override
            public void acquired(LockEvent event) {
                told.add(name + " acquired");
            }

            @Override
            public void released(LockEvent event) {
                told.add(name + " released");
            }
        };
    }

    @Test
    void listener_throwsOnEverything_disturbsNeitherLocksNorTheOtherListeners() throws Exception {
        AssertionErrors throwing = new AssertionErrors();
        Locker locker = opened(builder().listener(throwing).listener(noting));
        LockHandle first = locker.exclusive(KEY).acquire();
        CompletableFuture<LockHandle> second =
                locker.exclusive(KEY).acquireAsync().toCompletableFuture();
        assertThat(locker.exclusive(KEY).tryAcquire(Duration.ofMillis(1))).isEmpty();
        first.close();
        assertThat(second).succeedsWithin(PATIENCE).satisfies(LockHandle::close);
        assertThat(database.isHeld(KEY)).isFalse();
        LockHandle lost = locker.exclusive(KEY).acquire();
        database.terminateHolder(KEY);
        await().atMost(PATIENCE).until(() -> !noting.of("lost").isEmpty());
        assertThatThrownBy(lost::close).isInstanceOf(LockLostException.class);
        assertThat(noting.of("acquired")).hasSize(3);
        assertThat(noting.of("released")).hasSize(2);
        assertThat(noting.of("timedOut")).hasSize(1);
        assertThat(throwing.told).hasSameSizeAs(noting.told);
    }

    /** Errors are thrown further than exceptions. */
    private static final class AssertionErrors implements LockListener {
        private final List<LockEvent> told = new CopyOnWriteArrayList<>();

        private void fail(LockEvent event) {
            told.add(event);
            throw new AssertionError("on purpose, a test of listeners that throw");
        }

        @Override
        public void acquired(LockEvent event) {
            fail(event);
        }

        @Override
        public void waited(LockEvent event) {
            fail(event);
        }

        @Override
        public void handedOff(LockEvent event) {
            fail(event);
        }

        @Override
        public void timedOut(LockEvent event) {
            fail(event);
        }

        @Override
        public void lost(LockEvent event) {
            fail(event);
        }

        @Override
        public void released(LockEvent event) {
            fail(event);
        }
    }

    @Test
    void load_ofManyThreads_tellsForEachLockAcquiredBeforeReleased() throws Exception {
        Locker locker = telling();
        List<LockKey> keys = List.of(KEY, OTHER);
        List<Future<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            LockKey key = keys.get(i % 2);
            all.add(inBackground(() -> {
                for (int turn = 0; turn < 40; turn++) {
                    locker.exclusive(key).acquire(PATIENCE).close();
                }
                return 40;
            }));
        }
        for (Future<Integer> each : all) {
            assertThat(each.get()).isEqualTo(40);
        }
        assertThat(noting.of("acquired")).hasSize(8 * 40);
        assertThat(noting.of("released")).hasSize(8 * 40);
        assertThat(noting.names()).doesNotContain("timedOut", "lost");
        for (LockKey key : keys) {
            int balance = 0;
            for (Told told : noting.told) {
                if (told.event().keys().contains(key)) {
                    balance += told.what().equals("acquired") ? 1 : told.what().equals("released") ? -1 : 0;
                    assertThat(balance).as("acquired and not released").isBetween(0, 4);
                }
            }
            assertThat(balance).isZero();
        }
        assertThat(noting.told)
                .allSatisfy(told -> assertThat(told.event().duration()).isGreaterThanOrEqualTo(Duration.ZERO));
    }

    // ---- the listeners that come with it ----

    @Test
    void log_ofARealLocker_hasTimeoutsAndLosses() {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            Locker locker = opened(builder().listener(new LockLog()));
            LockHandle lost = locker.exclusive(KEY).acquire();
            assertThat(locker.exclusive(KEY).tryAcquire(Duration.ofMillis(10))).isEmpty();
            database.terminateHolder(KEY);
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(printed.toString(StandardCharsets.UTF_8))
                            .containsPattern(
                                    "INFO dev.pals.lock.LockLog - Timed out on exclusive lock on \\[events.key]: app=events")
                            .containsPattern(
                                    "WARN dev.pals.lock.LockLog - Lost exclusive lock on \\[events.key]: app=events")
                            .contains("org.postgresql.util.PSQLException"));
            assertThatThrownBy(lost::close).isInstanceOf(LockLostException.class);
        } finally {
            System.setErr(before);
        }
    }

    @Test
    void flightRecorder_ofARealLocker_hasTheEvents() throws IOException {
        List<String> recorded;
        try (Recording recording = new Recording()) {
            recording.start();
            Locker locker = opened(builder().listener(new LockFlightRecorder()));
            try (LockHandle ignored = locker.exclusive(KEY).acquire()) {
                assertThat(locker.exclusive(KEY).tryAcquire(Duration.ofMillis(10)))
                        .isEmpty();
            }
            recording.stop();
            Path file = directory.resolve("events.jfr");
            recording.dump(file);
            recorded = RecordingFile.readAllEvents(file).stream()
                    .filter(event -> event.getEventType().getName().startsWith("dev.pals."))
                    .map(EventsTest::shown)
                    .toList();
        }
        assertThat(recorded)
                .containsExactlyInAnyOrder(
                        "dev.pals.LockAcquired events [events.key] EXCLUSIVE",
                        "dev.pals.LockWaited events [events.key] EXCLUSIVE",
                        "dev.pals.LockTimedOut events [events.key] EXCLUSIVE",
                        "dev.pals.LockReleased events [events.key] EXCLUSIVE");
    }

    private static String shown(RecordedEvent event) {
        return event.getEventType().getName() + " " + event.getString("app") + " " + event.getString("keys") + " "
                + event.getString("mode");
    }
}
