package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pals.key.LockKey;
import dev.pals.lock.EveryEvent;
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

    private final NotedEvents noted = new NotedEvents();

    private Locker telling() {
        return opened(builder().listener(noted));
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
        assertThat(noted.names()).containsExactly("acquired");
        handle.close();
        handle.close();
        assertThat(noted.names()).containsExactly("acquired", "released");
        assertThat(noted.all()).allSatisfy(told -> {
            assertIs(told.event(), LockMode.EXCLUSIVE, List.of(KEY));
            assertThat(told.event().attempts()).isEqualTo(1);
        });
        assertThat(noted.of("acquired").get(0).duration()).isEqualTo(handle.waited());
    }

    @Test
    void acquire_severalKeysShared_tellsOfAllInOne() {
        Locker locker = telling();
        locker.shared(OTHER, KEY).acquire().close();
        locker.exclusive(RenamedLocks.INVOICE_CLOSE).acquire().close();
        assertThat(noted.names()).containsExactly("acquired", "released", "acquired", "released");
        noted.all().subList(0, 2).forEach(told -> assertIs(told.event(), LockMode.SHARED, BOTH));
        assertThat(noted.all().get(2).event().keys())
                .containsExactlyInAnyOrder(
                        RenamedLocks.INVOICE_CLOSE,
                        RenamedLocks.INVOICE_CLOSE.formerly().orElseThrow());
    }

    @Test
    void released_tellsHowLongTheLockWasHeld() {
        long before = System.nanoTime();
        LockHandle handle = telling().exclusive(KEY).acquire();
        long held = System.nanoTime();
        assertThat(database.isHeld(KEY)).isTrue();
        long stillHeld = System.nanoTime();
        handle.close();
        long after = System.nanoTime();
        assertThat(noted.of("released").get(0).duration())
                .isBetween(Duration.ofNanos(stillHeld - held), Duration.ofNanos(after - before));
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
        assertThat(noted.names()).containsSubsequence("acquired", "waited", "acquired", "released");
        assertThat(noted.of("acquired")).hasSize(2);
        assertThat(noted.of("released")).hasSize(2);
        assertThat(noted.of("waited"))
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
        await().during(SHORT).atMost(PATIENCE).until(() -> noted.all().isEmpty());
        holder.close();
        waiter.get().close();
        assertThat(noted.names()).containsExactly("waited", "acquired", "released");
        assertThat(noted.all()).allSatisfy(told -> {
            assertIs(told.event(), LockMode.EXCLUSIVE, List.of(KEY));
            assertThat(told.event().attempts()).isGreaterThan(1);
        });
        assertThat(noted.of("waited").get(0).duration()).isGreaterThanOrEqualTo(SHORT);
    }

    @Test
    void acquire_waitRunsOut_tellsWaitedAndThenTimedOut() {
        Locker locker = telling();
        try (LockHandle ignored = locker().exclusive(KEY).acquire()) {
            assertThatThrownBy(() -> locker.shared(KEY, OTHER).acquire(SHORT)).isInstanceOf(LockTimeoutException.class);
            assertThat(locker.shared(KEY, OTHER).tryAcquire(SHORT)).isEmpty();
        }
        assertThat(noted.names()).containsExactly("waited", "timedOut", "waited", "timedOut");
        assertThat(noted.all()).allSatisfy(told -> {
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
        assertThat(noted.names()).containsExactly("waited", "timedOut");
        assertThat(noted.of("timedOut").get(0).attempts()).isGreaterThan(1);
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
        assertThat(noted.all()).isEmpty();
        locker.exclusive(KEY).acquire().close();
        assertThat(noted.names()).as("the listener works").hasSize(2);
    }

    @Test
    void acquireAsync_cancelled_tellsNothing() {
        Locker locker = telling();
        try (LockHandle ignored = locker().exclusive(KEY).acquire()) {
            CompletableFuture<LockHandle> waiter =
                    locker.exclusive(KEY).acquireAsync().toCompletableFuture();
            database.awaitWaiter(KEY);
            waiter.cancel(true);
            await().atMost(PATIENCE).until(() -> database.rowsOf(KEY).size() == 1);
        }
        assertThat(noted.names()).isEmpty();
    }

    // ---- hand-offs ----

    @Test
    void handOff_inTheProgram_isToldOfTheOneThatHasTheLockFromAnother() {
        Locker locker = telling();
        // Not each time: a hand-off more than 20 ms after the grant is none.
        await().atMost(PATIENCE).until(() -> {
            noted.forget();
            LockHandle first = locker.exclusive(KEY).acquire();
            assertThat(noted.names()).as("a first acquire").containsExactly("acquired");
            CompletableFuture<LockHandle> second =
                    locker.exclusive(KEY).acquireAsync().toCompletableFuture();
            first.close();
            second.join().close();
            return !noted.of("handedOff").isEmpty();
        });
        assertThat(noted.names()).containsSubsequence("acquired", "handedOff", "acquired", "released");
        assertThat(noted.of("handedOff")).singleElement().satisfies(event -> {
            assertIs(event, LockMode.EXCLUSIVE, List.of(KEY));
            assertThat(event.attempts()).isZero();
            assertThat(event.duration()).isPositive();
        });
        assertThat(noted.of("acquired")).hasSize(2);
    }

    @Test
    void handOff_betweenPrograms_isNone() throws Exception {
        Locker locker = telling();
        LockHandle held = locker.exclusive(KEY).acquire();
        for (int i = 0; i < 4; i++) {
            Locker next = i % 2 == 0 ? opened(builder().listener(noted)) : locker;
            Future<LockHandle> waiter = inBackground(() -> next.exclusive(KEY).acquire(PATIENCE));
            database.awaitWaiter(KEY);
            held.close();
            held = waiter.get();
        }
        held.close();
        assertThat(noted.names()).doesNotContain("handedOff");
        assertThat(noted.of("acquired")).hasSize(5);
    }

    // ---- losses ----

    @Test
    void lost_sessionWasTerminated_isToldOnceWithTheCauseAndReleasedIsNot() {
        Locker locker = telling();
        LockHandle handle = locker.exclusive(BOTH).acquire();
        List<LockLostException> toldToHandle = new CopyOnWriteArrayList<>();
        handle.onLost(toldToHandle::add);
        database.terminateHolder(KEY);
        await().atMost(PATIENCE).until(() -> !noted.of("lost").isEmpty() && !toldToHandle.isEmpty());
        assertThatThrownBy(handle::close).isInstanceOf(LockLostException.class);
        handle.close();
        // What comes after would be told before this one.
        locker.exclusive(OTHER).acquire().close();
        assertThat(noted.names()).containsExactly("acquired", "lost", "acquired", "released");
        LockEvent lost = noted.of("lost").get(0);
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
        await().atMost(PATIENCE).until(() -> !noted.of("lost").isEmpty());
        locker.exclusive(OTHER).acquire().close();
        assertThat(noted.of("lost")).hasSize(1);
        assertThat(noted.of("released"))
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
        return new EveryEvent() {
            @Override
            protected void tell(String what, LockEvent event) {
                told.add(name + " " + what);
            }
        };
    }

    @Test
    void listener_throwsOnEverything_disturbsNeitherLocksNorTheOtherListeners() throws Exception {
        AssertionErrors throwing = new AssertionErrors();
        Locker locker = opened(builder().listener(throwing).listener(noted));
        LockHandle first = locker.exclusive(KEY).acquire();
        CompletableFuture<LockHandle> second =
                locker.exclusive(KEY).acquireAsync().toCompletableFuture();
        assertThat(locker.exclusive(KEY).tryAcquire(Duration.ofMillis(1))).isEmpty();
        first.close();
        assertThat(second).succeedsWithin(PATIENCE).satisfies(LockHandle::close);
        assertThat(database.isHeld(KEY)).isFalse();
        LockHandle lost = locker.exclusive(KEY).acquire();
        database.terminateHolder(KEY);
        await().atMost(PATIENCE).until(() -> !noted.of("lost").isEmpty());
        assertThatThrownBy(lost::close).isInstanceOf(LockLostException.class);
        assertThat(noted.of("acquired")).hasSize(3);
        assertThat(noted.of("released")).hasSize(2);
        assertThat(noted.of("timedOut")).hasSize(1);
        assertThat(throwing.told).hasSameSizeAs(noted.all());
    }

    /** Errors are thrown further than exceptions. */
    private static final class AssertionErrors extends EveryEvent {
        private final List<LockEvent> told = new CopyOnWriteArrayList<>();

        @Override
        protected void tell(String what, LockEvent event) {
            told.add(event);
            throw new AssertionError("on purpose, a test of listeners that throw");
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
        assertThat(noted.of("acquired")).hasSize(8 * 40);
        assertThat(noted.of("released")).hasSize(8 * 40);
        assertThat(noted.names()).doesNotContain("timedOut", "lost");
        for (LockKey key : keys) {
            int balance = 0;
            for (NotedEvents.Told told : noted.all()) {
                if (told.event().keys().contains(key)) {
                    balance += told.what().equals("acquired") ? 1 : told.what().equals("released") ? -1 : 0;
                    assertThat(balance).as("acquired and not released").isBetween(0, 4);
                }
            }
            assertThat(balance).isZero();
        }
        assertThat(noted.all())
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
