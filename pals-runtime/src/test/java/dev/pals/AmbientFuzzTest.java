package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.SQLDataType.INTEGER;

import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockTimeoutException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.impl.DataSourceConnectionProvider;
import org.jooq.impl.DefaultConfiguration;
import org.jooq.impl.ThreadLocalTransactionProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.transaction.TransactionDefinition;

/**
 * Random nestings of jOOQ's, JDBC's, Spring's and locked transactions, each level of which may fail: the rows that are
 * there in the end, and the locks that are held meanwhile, are those of the levels that did not.
 */
final class AmbientFuzzTest extends LockerFixture {
    private static final int NESTINGS = 30;
    private static final int DEEPEST = 5;
    private static final Duration SHORT = Duration.ofMillis(1);
    private static final LockKey BUSY = LockKey.of("ambient-fuzz", "busy");

    private static final Table<?> LEDGER = table(name("public", "ambient_fuzz_ledger"));
    private static final Field<Integer> ENTRY = field(name("entry"), INTEGER);

    private final DSLContext observer;
    private final SpringTransactions spring;
    private final DSLContext threadLocal;

    AmbientFuzzTest(TestDatabase database) {
        super(database, "ambient-fuzz");
        observer = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
        spring = new SpringTransactions(database.dataSource());
        threadLocal = new DefaultConfiguration()
                .set(SQLDialect.POSTGRES)
                .set(new ThreadLocalTransactionProvider(new DataSourceConnectionProvider(database.dataSource())))
                .dsl();
    }

    @BeforeEach
    void createLedger() {
        observer.createTable(LEDGER).column(ENTRY).execute();
    }

    @AfterEach
    void dropLedger() {
        observer.dropTable(LEDGER).execute();
    }

    static LongStream seeds() {
        return LongStream.concat(LongStream.rangeClosed(1, 7), new Random().longs(3));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void nestings_anyLevelFails_leaveTheRowsOfThoseThatDidNot(long seed) {
        Random random = new Random(seed);
        Locker locker = locker();
        try (LockHandle ignored = locker().exclusive(BUSY).acquire()) {
            for (int i = 0; i < NESTINGS; i++) {
                Nesting nesting = new Nesting(random, locker);
                try {
                    nesting.play();
                    assertThat(observer.select(ENTRY)
                                    .from(LEDGER)
                                    .orderBy(ENTRY)
                                    .fetch(ENTRY))
                            .containsExactlyElementsOf(nesting.committed);
                    assertThat(database.advisoryRows()).hasSize(1);
                } catch (RuntimeException | AssertionError e) {
                    throw new AssertionError("Seed " + seed + ", nesting " + i + ":\n" + nesting.story, e);
                }
                observer.deleteFrom(LEDGER).execute();
            }
        }
    }

    /** What undoes a level, and as many around it as it has left to go. */
    private static final class Undo extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private int further;
        /** By Spring, which has marked the transaction: only one of its own boundaries goes on after that. */
        private boolean doomed;

        Undo(int further) {
            this.further = further;
        }
    }

    /**
     * Where a level works.
     *
     * @param transaction the number of the transaction, as PostgreSQL would count it
     * @param nestable whether a transaction of jOOQ's is a savepoint here
     */
    private record Place(DSLContext dsl, int transaction, boolean nestable, Springs springs) {
        Place on(DSLContext nested) {
            return new Place(nested, transaction, true, springs);
        }
    }

    /** What Spring has to do with a transaction. */
    private enum Springs {
        NOTHING,
        ITS_CONNECTION,
        ITS_CONNECTION_AND_PROVIDER
    }

    /** What a level would leave if it succeeds. */
    private static final class Level {
        private final @Nullable Level outer;
        private final List<Integer> rows = new ArrayList<>();
        private final Set<Long> keys = new TreeSet<>();

        Level(@Nullable Level outer) {
            this.outer = outer;
        }

        Set<Long> held() {
            Set<Long> held = outer == null ? new TreeSet<>() : outer.held();
            held.addAll(keys);
            return held;
        }
    }

    private interface Body {
        void in(Place place);
    }

    /** The ways to begin a level within another. */
    private enum Nest {
        JOOQ,
        SAVEPOINT,
        LOCKED,
        SPRING_REQUIRED,
        SPRING_NESTED,
        SPRING_NEW;

        boolean fits(Place place) {
            return switch (this) {
                case JOOQ -> place.nestable;
                case SAVEPOINT, LOCKED -> true;
                case SPRING_REQUIRED, SPRING_NESTED, SPRING_NEW -> place.springs != Springs.NOTHING;
            };
        }

        /** Whether Spring takes its mark away, as it goes back to a savepoint or ends a transaction. */
        private boolean isBoundaryOfSprings(Place outside) {
            return switch (this) {
                case SPRING_NESTED, SPRING_NEW -> true;
                case JOOQ, LOCKED -> outside.springs == Springs.ITS_CONNECTION_AND_PROVIDER;
                case SAVEPOINT, SPRING_REQUIRED -> false;
            };
        }

        /** Whether what undid the level goes on to undo those around it. */
        boolean passes(Undo undo, Place outside) {
            if (this == SPRING_REQUIRED) {
                undo.doomed = true;
            } else if (isBoundaryOfSprings(outside)) {
                undo.doomed = false;
            }
            return undo.doomed || undo.further-- > 0;
        }
    }

    /** One transaction and all within it. */
    private final class Nesting {
        private final Random random;
        private final Locker locker;
        private final Set<Integer> committed = new TreeSet<>();
        private final StringBuilder story = new StringBuilder();
        private int lastRow;
        private int lastTransaction;

        Nesting(Random random, Locker locker) {
            this.random = random;
            this.locker = locker;
        }

        // ---- the outermost level ----

        void play() {
            int transaction = ++lastTransaction;
            Level[] level = new Level[1];
            try {
                outermost(transaction, place -> level[0] = level(place, null, null, 1));
                committed.addAll(level[0].rows);
            } catch (Undo e) {
                tell(0, "undone");
            }
        }

        private void outermost(int transaction, Body body) {
            // Not one of those that are taken within: for the transaction it is another session's.
            LockKey key = LockKey.of("ambient-fuzz", "outermost-" + transaction);
            switch (told(
                    0,
                    random.nextInt(7),
                    "jOOQ",
                    "JDBC",
                    "Spring",
                    "Spring, with its provider",
                    "locked",
                    "locked, with Spring's provider",
                    "thread-local")) {
                case 0 ->
                    observer.transaction(trx -> body.in(new Place(trx.dsl(), transaction, true, Springs.NOTHING)));
                case 1 -> onConnection(transaction, body);
                case 2 ->
                    spring.run(
                            TransactionDefinition.PROPAGATION_REQUIRED,
                            () -> body.in(new Place(spring.dsl(), transaction, false, Springs.ITS_CONNECTION)));
                case 3 ->
                    spring.run(
                            TransactionDefinition.PROPAGATION_REQUIRED,
                            () -> body.in(new Place(
                                    spring.dslWithProvider(), transaction, true, Springs.ITS_CONNECTION_AND_PROVIDER)));
                case 4 ->
                    locker.exclusive(key)
                            .transaction(
                                    observer, trx -> body.in(new Place(trx.dsl(), transaction, true, Springs.NOTHING)));
                case 5 ->
                    locker.exclusive(key)
                            .transaction(
                                    spring.dslWithProvider(),
                                    trx -> body.in(new Place(
                                            trx.dsl(), transaction, true, Springs.ITS_CONNECTION_AND_PROVIDER)));
                default ->
                    threadLocal.transaction(() -> body.in(new Place(threadLocal, transaction, false, Springs.NOTHING)));
            }
        }

        private void onConnection(int transaction, Body body) {
            try (Connection connection = DriverManager.getConnection(database.url())) {
                connection.setAutoCommit(false);
                try {
                    body.in(new Place(DSL.using(connection, SQLDialect.POSTGRES), transaction, false, Springs.NOTHING));
                    connection.commit();
                } finally {
                    connection.rollback();
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        // ---- a level ----

        private Level level(Place place, @Nullable Level outer, @Nullable LockKey taken, int depth) {
            Level level = new Level(outer);
            if (taken != null) {
                level.keys.add(taken.lockHash());
            }
            int steps = 1 + random.nextInt(4);
            for (int i = 0; i < steps; i++) {
                step(place, level, depth);
            }
            assertThat(heldBy(place)).isEqualTo(level.held());
            if (random.nextInt(4) == 0) {
                throw failed(place, depth);
            }
            return level;
        }

        private void step(Place place, Level level, int depth) {
            switch (random.nextInt(depth < DEEPEST ? 9 : 4)) {
                case 0, 1 -> enter(place, level, depth);
                case 2 -> lock(place, level, depth);
                case 3 -> lockInVain(place, depth);
                default -> nest(place, level, depth);
            }
        }

        private void enter(Place place, Level level, int depth) {
            int row = ++lastRow;
            tell(depth, "row " + row);
            place.dsl.insertInto(LEDGER, ENTRY).values(row).execute();
            level.rows.add(row);
        }

        private void lock(Place place, Level level, int depth) {
            LockKey key = key(place.transaction);
            TransactionLocks locks = TransactionLocks.in(place.dsl);
            switch (told(depth, random.nextInt(3), "lock " + key, "lock " + key + " in time", "try " + key)) {
                case 0 -> locks.shared(key).acquire();
                case 1 -> locks.exclusive(key).waitAtMost(TestDatabase.PATIENCE).acquire();
                default -> assertThat(locks.exclusive(key).tryAcquire()).isTrue();
            }
            level.keys.add(key.lockHash());
        }

        private void lockInVain(Place place, int depth) {
            TransactionLocks locks = TransactionLocks.in(place.dsl);
            LockKey key = LockKey.of("ambient-fuzz", "in-vain");
            switch (told(depth, random.nextInt(3), "try in vain", "try in vain for a time", "locked in vain")) {
                case 0 -> assertThat(locks.exclusive(key, BUSY).tryAcquire()).isFalse();
                case 1 ->
                    assertThat(locks.exclusive(key, BUSY).waitAtMost(SHORT).tryAcquire())
                            .isFalse();
                default ->
                    assertThatThrownBy(() -> locker.exclusive(key, BUSY)
                                    .waitAtMost(SHORT)
                                    .transaction(place.dsl, trx -> {}))
                            .isInstanceOf(LockTimeoutException.class);
            }
        }

        /** The way in which it fails: by itself, or in PostgreSQL, which aborts the transaction. */
        private Undo failed(Place place, int depth) {
            Undo undo = new Undo(random.nextInt(3));
            switch (told(depth, random.nextInt(3), "fails", "fails in SQL", "fails to get a lock")) {
                case 1 ->
                    assertThatThrownBy(() -> place.dsl.execute("select 1 / 0")).isInstanceOf(DataAccessException.class);
                case 2 ->
                    assertThatThrownBy(() -> TransactionLocks.in(place.dsl)
                                    .exclusive(BUSY)
                                    .waitAtMost(SHORT)
                                    .acquire())
                            .isInstanceOf(LockTimeoutException.class);
                default -> {}
            }
            return undo;
        }

        // ---- a level within it ----

        private void nest(Place place, Level level, int depth) {
            List<Nest> fitting =
                    Stream.of(Nest.values()).filter(nest -> nest.fits(place)).toList();
            Nest nest = fitting.get(random.nextInt(fitting.size()));
            tell(depth, nest.name());
            LockKey key = nest == Nest.LOCKED ? key(place.transaction) : null;
            Level[] inner = new Level[1];
            try {
                within(
                        nest,
                        place,
                        key,
                        p -> inner[0] = level(p, nest == Nest.SPRING_NEW ? null : level, key, depth + 1));
            } catch (Undo e) {
                if (nest.passes(e, place)) {
                    throw e;
                }
                tell(depth, "goes on");
                return;
            }
            if (nest == Nest.SPRING_NEW) {
                committed.addAll(inner[0].rows);
            } else {
                level.rows.addAll(inner[0].rows);
                level.keys.addAll(inner[0].keys);
            }
        }

        private void within(Nest nest, Place place, @Nullable LockKey key, Body body) {
            switch (nest) {
                case JOOQ -> place.dsl.transaction(trx -> body.in(place.on(trx.dsl())));
                case SAVEPOINT -> place.dsl.connection(connection -> underSavepoint(connection, place, body));
                case LOCKED ->
                    locker.exclusive(Objects.requireNonNull(key))
                            .transaction(place.dsl, trx -> body.in(place.on(trx.dsl())));
                case SPRING_REQUIRED -> spring.run(TransactionDefinition.PROPAGATION_REQUIRED, () -> body.in(place));
                case SPRING_NESTED -> spring.run(TransactionDefinition.PROPAGATION_NESTED, () -> body.in(place));
                case SPRING_NEW -> {
                    boolean provider = place.springs == Springs.ITS_CONNECTION_AND_PROVIDER;
                    DSLContext dsl = provider ? spring.dslWithProvider() : spring.dsl();
                    int transaction = ++lastTransaction;
                    spring.run(
                            TransactionDefinition.PROPAGATION_REQUIRES_NEW,
                            () -> body.in(new Place(dsl, transaction, provider, place.springs)));
                }
            }
        }

        private void underSavepoint(Connection connection, Place place, Body body) throws SQLException {
            Savepoint before = connection.setSavepoint();
            try {
                body.in(place);
            } catch (Undo e) {
                connection.rollback(before);
                throw e;
            }
            connection.releaseSavepoint(before);
        }

        // ---- helpers ----

        /**
         * One of a few, so that some are taken twice; no other transaction takes it, since that would wait for ever.
         */
        private LockKey key(int transaction) {
            return LockKey.of("ambient-fuzz", "transaction-" + transaction + "-key-" + random.nextInt(3));
        }

        private Set<Long> heldBy(Place place) {
            return new TreeSet<>(place.dsl
                    .resultQuery("select (classid::bigint << 32) | objid::bigint from pg_locks"
                            + " where locktype = 'advisory' and pid = pg_backend_pid()")
                    .fetch(0, Long.class));
        }

        private int told(int depth, int choice, String... choices) {
            tell(depth, choices[choice]);
            return choice;
        }

        private void tell(int depth, String what) {
            IntStream.range(0, depth).forEach(i -> story.append("  "));
            story.append(what).append('\n');
        }
    }
}
