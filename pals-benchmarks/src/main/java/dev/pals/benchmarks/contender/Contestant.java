package dev.pals.benchmarks.contender;

import java.util.EnumSet;
import java.util.Set;
import net.javacrumbs.shedlock.provider.jdbc.JdbcLockProvider;
import net.javacrumbs.shedlock.provider.jdbctemplate.JdbcTemplateLockProvider;
import net.javacrumbs.shedlock.provider.jdbctemplate.JdbcTemplateLockProvider.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;

/** Who is compared, and what each can do. */
public enum Contestant {
    RAW("raw", "raw JDBC, held connections", Role.FLOOR, RawJdbc::new, Ability.all()),
    RAW_POOLED(
            "raw-pool", "raw JDBC, HikariCP", Role.PEER, PooledJdbc::new, EnumSet.of(Ability.WAIT, Ability.PROCESSES)),
    JOOQ("jooq", "jOOQ per call, HikariCP", Role.PEER, PlainJooq::new, EnumSet.of(Ability.WAIT, Ability.PROCESSES)),
    SHEDLOCK_JDBC(
            "shedlock-jdbc",
            "ShedLock, JDBC",
            Role.PEER,
            place -> new ShedLock(place, JdbcLockProvider::new),
            EnumSet.of(Ability.HOLD, Ability.PROCESSES)),
    SHEDLOCK_TEMPLATE(
            "shedlock-template",
            "ShedLock, JdbcTemplate and the database's time",
            Role.PEER,
            place -> new ShedLock(
                    place,
                    source -> new JdbcTemplateLockProvider(Configuration.builder()
                            .withJdbcTemplate(new JdbcTemplate(source))
                            .usingDbTime()
                            .build())),
            EnumSet.of(Ability.HOLD, Ability.PROCESSES)),
    SPRING(
            "spring",
            "Spring Integration JdbcLockRegistry",
            Role.PEER,
            SpringIntegration::new,
            EnumSet.of(Ability.WAIT, Ability.HOLD, Ability.PROCESSES)),
    REDISSON(
            "redisson",
            "Redisson RLock, Redis",
            Role.PEER,
            RedissonLocks::new,
            EnumSet.of(Ability.WAIT, Ability.HOLD, Ability.PROCESSES)),
    PALS_1("pals-1", "PALs, 1 session", Role.OURS, place -> new PalsSessions(place, 1), Ability.all()),
    PALS_2("pals-2", "PALs, 2 sessions", Role.OURS, place -> new PalsSessions(place, 2), Ability.all()),
    PALS_4("pals-4", "PALs, 4 sessions", Role.OURS, place -> new PalsSessions(place, 4), Ability.all()),
    PALS_TRANSACTION(
            "pals-trx",
            "PALs, transaction scope",
            Role.OURS,
            PalsTransactions::new,
            EnumSet.of(Ability.WAIT, Ability.PROCESSES)),
    JDK("jdk", "ReentrantLock(true)", Role.LIMIT, place -> new LockOfTheJdk(), EnumSet.of(Ability.WAIT));

    private final String id;
    private final String title;
    private final Role role;

    // Made of constants only.
    @SuppressWarnings("ImmutableEnumChecker")
    private final Factory factory;

    @SuppressWarnings("ImmutableEnumChecker")
    private final Set<Ability> abilities;

    Contestant(String id, String title, Role role, Factory factory, Set<Ability> abilities) {
        this.id = id;
        this.title = title;
        this.role = role;
        this.factory = factory;
        this.abilities = Set.copyOf(abilities);
    }

    /** Short, for options, file names and results. */
    public String id() {
        return id;
    }

    public String title() {
        return title;
    }

    public Role role() {
        return role;
    }

    public boolean can(Set<Ability> needed) {
        return abilities.containsAll(needed);
    }

    public boolean needsRedis() {
        return this == REDISSON;
    }

    /** Whether each thread, and each waiter, has a connection of its own. */
    public boolean connectionPerThread() {
        return this == RAW;
    }

    /** Whether a lock is a row, written and committed. */
    public boolean writesRows() {
        return this == SHEDLOCK_JDBC || this == SHEDLOCK_TEMPLATE || this == SPRING;
    }

    /** Whether another of these is the same but for the number of sessions. */
    public boolean differsInSessionsAlone() {
        return this == PALS_1 || this == PALS_4;
    }

    /** How ours are set, for people. */
    public static String settings() {
        return PalsSessions.settings();
    }

    /** Opens it in this process. */
    public Contender open(Place place) throws Exception {
        return factory.open(place);
    }

    public static Contestant of(String id) {
        for (Contestant contestant : values()) {
            if (contestant.id.equals(id)) {
                return contestant;
            }
        }
        throw new IllegalArgumentException("There is no contender \"" + id + "\".");
    }

    /** What a contender is in the comparison. */
    public enum Role {
        FLOOR,
        PEER,
        OURS,
        LIMIT
    }

    /** What a load may need. */
    public enum Ability {
        WAIT,
        /** Hold more than its threads do. */
        HOLD,
        /** Hold many locks beside others on the same connection. */
        HOLD_MANY,
        PROCESSES;

        static Set<Ability> all() {
            return EnumSet.allOf(Ability.class);
        }
    }

    @FunctionalInterface
    private interface Factory {
        Contender open(Place place) throws Exception;
    }
}
