package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.SQLDataType.VARCHAR;

import dev.pals.db.PalsSchema;
import dev.pals.db.jooq.pals.Tables;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.jooq.FencingTokens;
import dev.pals.key.GeneratedLocks;
import dev.pals.key.LockKey;
import dev.pals.lock.FencingUnavailableException;
import dev.pals.lock.LockEvent;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockListener;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockMode;
import dev.pals.lock.StaleFencingTokenException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The tokens that come with exclusive locks, and what they keep a holder from that has lost its lock. */
final class FencingTokenTest extends LockerFixture {
    private static final String APP = "fencing-token";
    private static final LockKey KEY = LockKey.of(APP, "ledger");
    private static final LockKey OTHER = LockKey.of(APP, "stock");

    private static final Table<?> LEDGER = table(name("public", "fencing_token_ledger"));
    private static final Field<String> ENTRY = field(name("entry"), VARCHAR);

    private final DSLContext dsl;

    FencingTokenTest(TestDatabase database) {
        super(database, APP);
        dsl = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    }

    private Locker fenced() {
        return opened(builder().fencingTokens());
    }

    @BeforeEach
    void createLedger() {
        dsl.createTable(LEDGER).column(ENTRY).execute();
    }

    @AfterEach
    void dropLedger() {
        dsl.dropTable(LEDGER).execute();
        dsl.deleteFrom(Tables.FENCE).execute();
    }

    // ---- growing ----

    @Test
    void token_holdersOneAfterTheOther_startsAtLeastAtOneAndGrows() {
        Locker locker = fenced();
        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            try (LockHandle handle = locker.exclusive(KEY).acquire()) {
                assertThat(handle.fencingToken(KEY)).isEqualTo(handle.fencingToken());
                tokens.add(handle.fencingToken());
            }
        }
        assertThat(tokens.get(0)).isPositive();
        assertGrows(tokens);
    }

    @Test
    void token_heldHandle_staysTheSameAlsoAfterTheRelease() {
        LockHandle handle = fenced().exclusive(KEY).acquire();
        long token = handle.fencingToken();
        assertThat(handle.fencingToken()).isEqualTo(token);
        handle.close();
        assertThat(handle.fencingToken()).isEqualTo(token);
    }

    /** More of them than may be handed the lock in a row, so that it is freed and taken anew in between. */
    @Test
    void token_handedOnToManyThreads_growsWithEach() throws Exception {
        AtomicInteger handedOff = new AtomicInteger();
        Locker locker = opened(builder().fencingTokens().listener(counting(handedOff)));
        int waiters = 300;
        Queue<Long> tokens = new ConcurrentLinkedQueue<>();
        CountDownLatch done = new CountDownLatch(waiters);
        try (LockHandle first = locker.exclusive(KEY).acquire()) {
            tokens.add(first.fencingToken());
            for (int i = 0; i < waiters; i++) {
                var unused = locker.exclusive(KEY).acquireAsync().thenAccept(handle -> {
                    try (handle) {
                        tokens.add(handle.fencingToken());
                    }
                    done.countDown();
                });
            }
        }
        awaitZero(done);
        assertThat(tokens).hasSize(waiters + 1);
        assertGrows(tokens);
        assertThat(handedOff).as("hand-offs without a round trip").hasValueGreaterThan(64);
    }

    private static LockListener counting(AtomicInteger handedOff) {
        return new LockListener() {
            @Override
            public void handedOff(LockEvent event) {
                handedOff.incrementAndGet();
            }
        };
    }

    @Test
    void token_threadsOfTwoProgramsCompete_growsOverBoth() throws Exception {
        List<Locker> both = List.of(fenced(), fenced());
        Queue<Long> tokens = new ConcurrentLinkedQueue<>();
        AtomicReference<Locker> last = new AtomicReference<>();
        AtomicInteger changes = new AtomicInteger();
        long end = System.nanoTime() + PATIENCE.toNanos();
        inEachOf(8, thread -> {
            Locker locker = both.get(thread % 2);
            while (changes.get() < 20 && System.nanoTime() - end < 0) {
                try (LockHandle handle = locker.exclusive(KEY).acquire(PATIENCE)) {
                    tokens.add(handle.fencingToken());
                    if (last.getAndSet(locker) != locker) {
                        changes.incrementAndGet();
                    }
                }
            }
        });
        assertThat(changes).as("turns of the two programs").hasValueGreaterThanOrEqualTo(20);
        assertGrows(tokens);
    }

    @Test
    void token_holderHadWaitedInPostgres_isGreaterThanThatOfTheOneBefore() throws Exception {
        Locker one = fenced();
        Locker two = fenced();
        List<Long> tokens = new ArrayList<>();
        LockHandle held = one.exclusive(KEY).acquire();
        tokens.add(held.fencingToken());
        for (int i = 0; i < 10; i++) {
            Locker next = i % 2 == 0 ? two : one;
            Future<LockHandle> waiter = inBackground(() -> next.exclusive(KEY).acquire(PATIENCE));
            database.awaitWaiter(KEY);
            held.close();
            held = waiter.get();
            assertThat(held.attempts()).as("it was told to wait").isGreaterThan(1);
            tokens.add(held.fencingToken());
        }
        held.close();
        assertGrows(tokens);
    }

    /** Where there is no connection to wait on, the lock is tried again and again. */
    @Test
    void token_holderHadTriedAgain_isGreaterThanThatOfTheOneBefore() throws Exception {
        Locker one = fenced();
        Locker two = opened(builder().fencingTokens().sessions(1).maxSessions(1));
        LockHandle first = one.exclusive(KEY).acquire();
        Future<LockHandle> waiter = inBackground(() -> two.exclusive(KEY).acquire(PATIENCE));
        long before = first.fencingToken();
        await().during(Duration.ofMillis(60)).atMost(PATIENCE).until(() -> !waiter.isDone());
        first.close();
        try (LockHandle second = waiter.get()) {
            assertThat(second.fencingToken()).isGreaterThan(before);
        }
    }

    // ---- several keys ----

    @Test
    void token_severalKeys_isOneForEachAndGrowsForEach() {
        Locker locker = fenced();
        LockKey third = LockKey.of(APP, "third");
        List<LockKey> keys = List.of(KEY, OTHER, third);
        List<List<Long>> tokens = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (int round = 0; round < 5; round++) {
            int alone = round % keys.size();
            try (LockHandle handle = locker.exclusive(keys).acquire()) {
                for (int i = 0; i < keys.size(); i++) {
                    tokens.get(i).add(handle.fencingToken(keys.get(i)));
                }
                assertThat(keys.stream().map(handle::fencingToken).distinct()).hasSize(3);
            }
            try (LockHandle handle = locker.exclusive(keys.get(alone)).acquire()) {
                tokens.get(alone).add(handle.fencingToken());
            }
        }
        tokens.forEach(FencingTokenTest::assertGrows);
    }

    @Test
    void token_severalKeysOfWhichOneWasWaitedFor_growsForEach() throws Exception {
        Locker locker = fenced();
        Locker other = fenced();
        List<Long> tokens = new ArrayList<>();
        List<Long> otherTokens = new ArrayList<>();
        for (LockKey waitedFor : List.of(KEY, OTHER)) {
            LockHandle holder = other.exclusive(waitedFor).acquire();
            (waitedFor.equals(KEY) ? tokens : otherTokens).add(holder.fencingToken());
            Future<LockHandle> waiter =
                    inBackground(() -> locker.exclusive(KEY, OTHER).acquire(PATIENCE));
            database.awaitWaiter(waitedFor);
            holder.close();
            try (LockHandle both = waiter.get()) {
                tokens.add(both.fencingToken(KEY));
                otherTokens.add(both.fencingToken(OTHER));
            }
        }
        assertGrows(tokens);
        assertGrows(otherTokens);
    }

    @Test
    void token_ofARequestForSeveralKeysWithoutSayingWhich_throws() {
        try (LockHandle handle = fenced().exclusive(KEY, OTHER).acquire()) {
            assertThatThrownBy(handle::fencingToken)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll(APP + ".ledger", APP + ".stock", "fencingToken(key)");
            assertThat(handle.fencingToken(KEY)).isPositive().isNotEqualTo(handle.fencingToken(OTHER));
        }
    }

    @Test
    void token_ofAKeyThatIsNotHeld_isAnInvalidArgument() {
        try (LockHandle handle = fenced().exclusive(KEY).acquire()) {
            assertThatThrownBy(() -> handle.fencingToken(OTHER))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll(APP + ".stock", APP + ".ledger");
        }
    }

    // ---- renamed keys ----

    /** The former key is taken first in one of them, and second in the other. */
    static Stream<LockKey> renamedKeys() {
        GeneratedLocks locks = new GeneratedLocks(APP, KEY.appHash());
        long one = 1_000_000_007L;
        long two = 2_000_000_014L;
        return Stream.of(locks.key("ONE", "one", one, "two", two), locks.key("TWO", "two", two, "one", one));
    }

    @ParameterizedTest
    @MethodSource("renamedKeys")
    void token_renamedKey_isOneForBothNamesAndGrows(LockKey renamed) {
        LockKey former = renamed.formerly().orElseThrow();
        Locker locker = fenced();
        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            try (LockHandle handle = locker.exclusive(renamed).acquire()) {
                tokens.add(handle.fencingToken());
                assertThat(handle.fencingToken(renamed)).isEqualTo(handle.fencingToken());
                assertThat(handle.fencingToken(former)).isEqualTo(handle.fencingToken());
            }
        }
        assertGrows(tokens);
    }

    @ParameterizedTest
    @MethodSource("renamedKeys")
    void token_renamedKeyBesideAnother_isOneForBothNames(LockKey renamed) {
        LockKey former = renamed.formerly().orElseThrow();
        try (LockHandle handle = fenced().exclusive(KEY, renamed, OTHER).acquire()) {
            assertThat(handle.fencingToken(renamed))
                    .isEqualTo(handle.fencingToken(former))
                    .isNotEqualTo(handle.fencingToken(KEY))
                    .isNotEqualTo(handle.fencingToken(OTHER));
            assertThatThrownBy(handle::fencingToken).isInstanceOf(IllegalStateException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("renamedKeys")
    void token_oldVersionTakesTurns_growsOverBothVersions(LockKey renamed) {
        LockKey former = renamed.formerly().orElseThrow();
        Locker newVersion = fenced();
        Locker oldVersion = fenced();
        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            try (LockHandle handle = newVersion.exclusive(renamed).acquire()) {
                tokens.add(handle.fencingToken());
            }
            try (LockHandle handle = oldVersion.exclusive(former).acquire()) {
                tokens.add(handle.fencingToken());
            }
        }
        assertGrows(tokens);
    }

    @ParameterizedTest
    @MethodSource("renamedKeys")
    void token_threadsOfTheOldAndTheNewVersionCompete_growsOverBoth(LockKey renamed) throws Exception {
        List<Locker> versions = List.of(fenced(), fenced());
        LockKey former = renamed.formerly().orElseThrow();
        Queue<Long> tokens = new ConcurrentLinkedQueue<>();
        inEachOf(8, thread -> {
            for (int turn = 0; turn < 25; turn++) {
                LockKey key = thread % 2 == 0 ? renamed : former;
                try (LockHandle handle = versions.get(thread % 2).exclusive(key).acquire(PATIENCE)) {
                    tokens.add(handle.fencingToken());
                }
            }
        });
        assertThat(tokens).hasSize(8 * 25);
        assertGrows(tokens);
    }

    /** In one program, one key of the two is handed on without the other. */
    @ParameterizedTest
    @MethodSource("renamedKeys")
    void token_requestsOfOneProgramForOneOrBothNames_growsForEachName(LockKey renamed) throws Exception {
        AtomicInteger handedOff = new AtomicInteger();
        Locker locker = opened(builder().fencingTokens().listener(counting(handedOff)));
        LockKey former = renamed.formerly().orElseThrow();
        LockKey unaware = new GeneratedLocks(APP, KEY.appHash()).key("RENAMED", renamed.name(), renamed.lockHash());
        Queue<Long> ofRenamed = new ConcurrentLinkedQueue<>();
        Queue<Long> ofFormer = new ConcurrentLinkedQueue<>();
        inEachOf(9, thread -> {
            for (int turn = 0; turn < 25; turn++) {
                LockKey key = List.of(renamed, former, unaware).get(thread % 3);
                try (LockHandle handle = locker.exclusive(key).acquire(PATIENCE)) {
                    if (thread % 3 != 1) {
                        ofRenamed.add(handle.fencingToken());
                    }
                    if (thread % 3 != 2) {
                        ofFormer.add(handle.fencingToken());
                    }
                }
            }
        });
        assertThat(ofRenamed).hasSize(6 * 25);
        assertGrows(ofRenamed);
        assertGrows(ofFormer);
        assertThat(handedOff).hasPositiveValue();
    }

    // ---- locks without tokens ----

    @Test
    void token_sharedLock_throws() {
        try (LockHandle handle = fenced().shared(KEY).acquire()) {
            assertThat(handle.mode()).isEqualTo(LockMode.SHARED);
            assertThatThrownBy(handle::fencingToken)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll(APP + ".ledger", "shared", "exclusive");
            assertThatThrownBy(() -> handle.fencingToken(KEY)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void token_lockerWithoutTokens_throws() {
        try (LockHandle handle = locker().exclusive(KEY).acquire()) {
            assertThatThrownBy(handle::fencingToken)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll(APP + ".ledger", "fencingTokens()");
            assertThatThrownBy(() -> handle.fencingToken(KEY)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void build_databaseWithoutTheSchema_throwsAndLeavesNoConnection() {
        String app = APP + "-without-schema";
        try (ScratchDatabase empty = database.emptyDatabase()) {
            LockerBuilder builder = Locker.builder(app).url(empty.url());
            try (Locker withoutTokens = builder.build()) {
                assertThat(sessionsOf(app)).as(withoutTokens + " is seen").isPositive();
            }
            assertHasNoTokens(app, empty.url());
        }
    }

    /** What each of these roles has is not enough. */
    @ParameterizedTest
    @ValueSource(strings = {"", "schema pals", "sequence pals.fencing_token"})
    void build_roleWithoutTheGrants_throwsAndLeavesNoConnection(String granted) {
        String role = "pals_fencing_token_" + ProcessHandle.current().pid();
        String app = APP + "-without-grants";
        String url = database.urlWith("options=-c%20role=" + role);
        database.execute("create role " + role);
        try {
            if (!granted.isEmpty()) {
                database.execute("grant usage on " + granted + " to " + role);
            }
            assertHasNoTokens(app, url);

            database.execute("grant usage on schema pals to " + role);
            database.execute("grant usage on sequence pals.fencing_token to " + role);
            try (Locker locker = Locker.builder(app).url(url).fencingTokens().build();
                    LockHandle handle = locker.exclusive(KEY).acquire()) {
                assertThat(handle.fencingToken()).isPositive();
            }
        } finally {
            database.execute("drop owned by " + role);
            database.execute("drop role " + role);
        }
    }

    private void assertHasNoTokens(String app, String url) {
        assertThatThrownBy(() ->
                        Locker.builder(app).url(url).fencingTokens().build().close())
                .isInstanceOf(FencingUnavailableException.class)
                .hasMessageContainingAll(app, "pals.fencing_token", "PalsSchema.migrate", "fencingTokens()");
        await().atMost(PATIENCE).until(() -> sessionsOf(app) == 0);
    }

    @Test
    void build_schemaIsInstalledAfterwards_hasTokens() {
        try (ScratchDatabase fresh = database.emptyDatabase()) {
            PGSimpleDataSource dataSource = new PGSimpleDataSource();
            dataSource.setURL(fresh.url());
            LockerBuilder builder = Locker.builder(APP).dataSource(dataSource).fencingTokens();
            assertThatThrownBy(builder::build).isInstanceOf(FencingUnavailableException.class);
            PalsSchema.migrate(dataSource);
            try (Locker locker = builder.build();
                    LockHandle handle = locker.exclusive(KEY).acquire()) {
                assertThat(handle.fencingToken()).isEqualTo(1);
            }
        }
    }

    // ---- round trips ----

    private Locker noted(Statements statements, int maxSessions) {
        return opened(Locker.builder(APP)
                .dataSource(statements.of(database.dataSource()))
                .sessions(1)
                .maxSessions(maxSessions)
                .fencingTokens());
    }

    @Test
    void token_comesWithTheLock_inTheSameRoundTrip() throws Exception {
        Statements statements = new Statements();
        Locker locker = noted(statements, 2);
        // Which opens the session.
        locker.exclusive(KEY).acquire().close();
        for (LockRequest request : List.of(
                locker.exclusive(KEY), locker.exclusive(KEY, OTHER), locker.exclusive(RenamedLocks.INVOICE_CLOSE))) {
            statements.forget();
            LockHandle handle = request.acquire();
            handle.keys().forEach(key -> assertThat(handle.fencingToken(key)).isPositive());
            assertThat(statements.executed()).singleElement().asString().contains("try_advisory_lock", "nextval");
            handle.close();
            assertThat(statements.executed()).hasSize(2);
        }
    }

    @Test
    void token_handedOn_comesWithoutARoundTrip() {
        Statements statements = new Statements();
        Locker locker = noted(statements, 1);
        locker.exclusive(KEY).acquire().close();
        AtomicInteger roundTrips = new AtomicInteger(-1);
        // Not each time: a hand-off more than 20 ms after the grant is none.
        await().atMost(PATIENCE).until(() -> {
            LockHandle first = locker.exclusive(KEY).acquire();
            var second = locker.exclusive(KEY).acquireAsync().toCompletableFuture();
            statements.forget();
            first.close();
            try (LockHandle handle = second.join()) {
                assertThat(handle.fencingToken()).isGreaterThan(first.fencingToken());
                roundTrips.set(statements.executed().size());
                return handle.fencingToken() == first.fencingToken() + 1;
            }
        });
        assertThat(roundTrips).hasValue(0);
    }

    @Test
    void token_waitedForInPostgres_comesWithTheWait() throws Exception {
        Statements statements = new Statements();
        Locker locker = noted(statements, 2);
        try (LockHandle ignored = locker().exclusive(OTHER).acquire()) {
            // Which opens the sessions.
            assertThat(locker.exclusive(OTHER).tryAcquire(Duration.ofMillis(20)))
                    .isEmpty();
        }
        LockHandle holder = locker().exclusive(KEY).acquire();
        statements.forget();
        Future<LockHandle> waiter = inBackground(() -> locker.exclusive(KEY).acquire(PATIENCE));
        database.awaitWaiter(KEY);
        holder.close();
        try (LockHandle handle = waiter.get()) {
            assertThat(handle.fencingToken()).isPositive();
            assertThat(statements.executed())
                    .filteredOn(sql -> sql.contains("nextval"))
                    .satisfiesExactly(
                            tried -> assertThat(tried).contains("pg_try_advisory_lock"),
                            waited -> assertThat(waited).contains("pg_advisory_lock", "set_config"));
        }
    }

    // ---- the guarded write ----

    @Test
    void write_ofAHolderThatLostItsLock_isRolledBackOnceAnotherHasWritten() {
        Locker first = fenced();
        LockHandle stale = first.exclusive(KEY).acquire();
        dsl.transaction(trx -> guarded(trx, stale, "first"));
        database.terminateHolder(KEY);
        try (LockHandle second = fenced().exclusive(KEY).acquire()) {
            dsl.transaction(trx -> guarded(trx, second, "second"));

            assertThatThrownBy(() -> dsl.transaction(trx -> {
                        enter(trx, "stale, before the check");
                        guarded(trx, stale, "stale, after the check");
                    }))
                    .isInstanceOfSatisfying(StaleFencingTokenException.class, e -> {
                        assertThat(e.key()).isEqualTo(KEY);
                        assertThat(e.token()).isEqualTo(stale.fencingToken());
                        assertThat(e.newest()).isEqualTo(second.fencingToken());
                    });
            assertThat(ledger()).containsExactly("first", "second");
            dsl.transaction(trx -> guarded(trx, second, "second again"));
        }
        assertThat(ledger()).containsExactly("first", "second", "second again");
        assertThatThrownBy(stale::close).isInstanceOf(LockLostException.class);
    }

    /** The negative control: the loss alone keeps nobody from writing. */
    @Test
    void write_ofAHolderThatLostItsLockAndDoesNotCheck_stays() {
        LockHandle stale = fenced().exclusive(KEY).acquire();
        database.terminateHolder(KEY);
        try (LockHandle second = fenced().exclusive(KEY).acquire()) {
            dsl.transaction(trx -> guarded(trx, second, "second"));
            dsl.transaction(trx -> enter(trx, "stale"));
        }
        assertThat(ledger()).containsExactly("second", "stale");
        assertThatThrownBy(stale::close).isInstanceOf(LockLostException.class);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void write_underSeveralLocksOfWhichOneIsStale_isRolledBack(boolean staleIsTheFirst) {
        LockKey takenByAnother = staleIsTheFirst ? KEY : OTHER;
        LockHandle stale = fenced().exclusive(KEY, OTHER).acquire();
        dsl.transaction(trx -> guarded(trx, stale, "first"));
        database.terminateHolder(KEY);
        try (LockHandle second = fenced().exclusive(takenByAnother).acquire()) {
            dsl.transaction(trx -> guarded(trx, second, "second"));

            assertThatThrownBy(() -> dsl.transaction(trx -> guarded(trx, stale, "stale")))
                    .isInstanceOfSatisfying(
                            StaleFencingTokenException.class,
                            e -> assertThat(e.key()).isEqualTo(takenByAnother));
        }
        assertThat(ledger()).containsExactly("first", "second");
        assertThatThrownBy(stale::close).isInstanceOf(LockLostException.class);
    }

    @ParameterizedTest
    @MethodSource("renamedKeys")
    void write_underARenamedLockThatAnOldVersionHasTaken_isRolledBack(LockKey renamed) {
        LockKey former = renamed.formerly().orElseThrow();
        LockHandle stale = fenced().exclusive(renamed).acquire();
        dsl.transaction(trx -> guarded(trx, stale, "first"));
        database.terminateHolder(renamed);
        try (LockHandle second = fenced().exclusive(former).acquire()) {
            dsl.transaction(trx -> guarded(trx, second, "old version"));

            assertThatThrownBy(() -> dsl.transaction(trx -> guarded(trx, stale, "stale")))
                    .isInstanceOf(StaleFencingTokenException.class);
        }
        try (LockHandle third = fenced().exclusive(renamed).acquire()) {
            dsl.transaction(trx -> guarded(trx, third, "new version"));
        }
        assertThat(ledger()).containsExactly("first", "old version", "new version");
        assertThatThrownBy(stale::close).isInstanceOf(LockLostException.class);
    }

    /** Each holder is in order, so none is refused, whoever it had the lock from. */
    @ParameterizedTest
    @MethodSource("renamedKeys")
    void write_ofHoldersInOrder_isNeverRefused(LockKey renamed) throws Exception {
        LockKey former = renamed.formerly().orElseThrow();
        List<Locker> both = List.of(fenced(), fenced());
        List<List<LockKey>> wanted =
                List.of(List.of(renamed), List.of(former), List.of(renamed, KEY), List.of(KEY, OTHER));
        inEachOf(8, thread -> {
            Random random = new Random(thread);
            for (int turn = 0; turn < 15; turn++) {
                Locker locker = both.get(random.nextInt(2));
                List<LockKey> keys = wanted.get(random.nextInt(wanted.size()));
                try (LockHandle handle = locker.exclusive(keys).acquire(PATIENCE)) {
                    dsl.transaction(trx -> guarded(trx, handle, "entry"));
                }
            }
        });
        assertThat(ledger()).hasSize(8 * 15);
    }

    // ---- helpers ----

    private static void guarded(Configuration trx, LockHandle handle, String entry) {
        FencingTokens.check(trx, handle);
        enter(trx, entry);
    }

    private static void enter(Configuration trx, String entry) {
        trx.dsl().insertInto(LEDGER, ENTRY).values(entry).execute();
    }

    private List<String> ledger() {
        return dsl.select(ENTRY).from(LEDGER).fetch(ENTRY);
    }

    private static void assertGrows(Collection<Long> tokens) {
        assertThat(List.copyOf(tokens))
                .isSortedAccordingTo(Comparator.naturalOrder())
                .doesNotHaveDuplicates();
    }
}
