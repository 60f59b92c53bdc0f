package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.pals.diagnostics.LockDiagnostics;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockUse;
import dev.pals.lock.WaitPolicy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jooq.Record;
import org.jooq.Result;
import org.junit.jupiter.api.Test;

/** Which threads of this program have a lock or wait for it: what no view of the database knows. */
final class LockUsesTest extends LockerFixture {
    private static final LockKey KEY = LockKey.of("uses", "one");
    private static final LockKey OTHER = LockKey.of("uses", "other");

    LockUsesTest(TestDatabase database) {
        super(database, "uses");
    }

    @Test
    void uses_holderAndThreadsBehindIt_areThereInOrderWithThreadPlaceAndProcess() throws Exception {
        Locker locker = locker();
        Future<?> second;
        Future<?> third;
        try (LockHandle held = locker.exclusive(KEY).acquire()) {
            assertThat(held.isHeld()).isTrue();
            second = inBackground(() -> takeAs("second", locker));
            awaitUses(locker, 2);
            third = inBackground(() -> takeAs("third", locker));
            awaitUses(locker, 3);

            List<LockUse> uses = locker.uses();
            assertThat(uses)
                    .extracting(LockUse::thread, LockUse::granted, LockUse::key, LockUse::mode)
                    .containsExactly(
                            tuple(Thread.currentThread().getName(), true, KEY, LockMode.EXCLUSIVE),
                            tuple("second", false, KEY, LockMode.EXCLUSIVE),
                            tuple("third", false, KEY, LockMode.EXCLUSIVE));
            assertThat(uses.get(0).takenAt()).contains("LockUsesTest.uses_holderAndThreadsBehindIt");
            assertThat(uses.get(1).takenAt()).contains("LockUsesTest.takeAs");
            assertThat(uses.get(0).pid()).hasValue(database.rowsOf(KEY).get(0).pid());
            assertThat(uses.get(1).pid()).isEmpty();
            assertThat(uses).allMatch(use -> !use.since().isNegative());

            Result<Record> table = LockDiagnostics.inThisProgram(uses);
            assertThat(table.getValues("queued", Integer.class)).containsExactly(2, 2, 2);
            assertThat(table.format())
                    .contains("second", "LockUsesTest.java", "one")
                    .doesNotContain("*");
            assertThat(table.formatJSON()).contains("\"third\"");
        }
        second.get(30, TimeUnit.SECONDS);
        third.get(30, TimeUnit.SECONDS);
        assertThat(locker.uses()).isEmpty();
    }

    private static Object takeAs(String name, Locker locker) {
        Thread.currentThread().setName(name);
        locker.exclusive(KEY).acquire().close();
        return name;
    }

    private static void awaitUses(Locker locker, int count) {
        await().atMost(TestDatabase.PATIENCE).until(() -> locker.uses().size() == count);
    }

    @Test
    void uses_sharedHoldersAndSeveralKeys_areOneEach() {
        Locker locker = locker();
        try (LockHandle one = locker.shared(KEY, OTHER).acquire();
                LockHandle two = locker.shared(KEY).acquire()) {
            assertThat(one.isHeld() && two.isHeld()).isTrue();
            assertThat(locker.uses())
                    .extracting(LockUse::key, LockUse::mode)
                    .containsExactlyInAnyOrder(
                            tuple(KEY, LockMode.SHARED), tuple(KEY, LockMode.SHARED), tuple(OTHER, LockMode.SHARED));
        }
    }

    /** It stands in no queue while it pauses. */
    @Test
    void uses_requestThatPolls_isThereWhileItPauses() throws Exception {
        Locker locker = locker();
        Future<?> retries;
        try (LockHandle held = locker.exclusive(KEY).acquire()) {
            assertThat(held.isHeld()).isTrue();
            retries = inBackground(() -> {
                Thread.currentThread().setName("polls");
                locker.exclusive(KEY)
                        .waiting(WaitPolicy.polling(Duration.ofMillis(500), Duration.ofSeconds(60)))
                        .acquire()
                        .close();
                return null;
            });
            awaitUses(locker, 2);
            assertThat(locker.uses()).extracting(LockUse::thread).contains("polls");
        }
        retries.get(60, TimeUnit.SECONDS);
        assertThat(locker.uses()).isEmpty();
    }

    @Test
    void uses_asyncRequest_isOfTheThreadThatAsked() throws Exception {
        Locker locker = locker();
        CompletableFuture<LockHandle> later;
        try (LockHandle held = locker.exclusive(KEY).acquire()) {
            assertThat(held.isHeld()).isTrue();
            later = locker.exclusive(KEY).acquireAsync().toCompletableFuture();
            awaitUses(locker, 2);
            LockUse waiting = locker.uses().get(1);
            assertThat(waiting.thread()).isEqualTo(Thread.currentThread().getName());
            assertThat(waiting.takenAt()).contains("LockUsesTest.uses_asyncRequest");
        }
        later.get(30, TimeUnit.SECONDS).close();
    }
}
