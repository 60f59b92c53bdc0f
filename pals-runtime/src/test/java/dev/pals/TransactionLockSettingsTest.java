package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pals.db.server.ScratchDatabase;
import dev.pals.jooq.TransactionLockRequest;
import dev.pals.jooq.TransactionLocks;
import dev.pals.key.LockKey;
import dev.pals.lock.LockTimeoutException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A lock's limit is PostgreSQL's {@code lock_timeout} for one statement; whatever the outcome, all of the caller's
 * settings are what they were, within the transaction and after it.
 */
final class TransactionLockSettingsTest extends LockerFixture {
    private static final LockKey FREE = LockKey.of("transaction-lock-settings", "free");
    private static final LockKey BUSY = LockKey.of("transaction-lock-settings", "busy");
    private static final LockKey[] BOTH = {FREE, BUSY};
    private static final Duration SHORT = Duration.ofMillis(20);

    /** What is put back must not be what the test before has left. */
    private static final String CALLERS = "7654ms";

    TransactionLockSettingsTest(TestDatabase database) {
        super(database, "transaction-lock-settings");
    }

    /** Where the caller has set {@code lock_timeout}. */
    enum Source {
        NOWHERE("0"),
        SESSION(CALLERS),
        SESSION_WITHIN_THE_TRANSACTION(CALLERS),
        TRANSACTION(CALLERS),
        SAVEPOINT(CALLERS),
        OPTIONS(CALLERS),
        ROLE(CALLERS);

        private final String lockTimeout;

        Source(String lockTimeout) {
            this.lockTimeout = lockTimeout;
        }

        String url(String url) {
            return this == OPTIONS ? TestDatabase.urlWith(url, "options=-c%20lock_timeout=" + CALLERS) : url;
        }

        /** Before any connection of the test's is made. */
        void setDatabase(DSLContext admin) {
            if (this == ROLE) {
                admin.execute("do $$ begin execute format('alter role %I in database %I set lock_timeout = ''" + CALLERS
                        + "''', current_user, current_database()); end $$");
            }
        }

        void setSession(DSLContext session) {
            if (this == SESSION) {
                session.execute("set lock_timeout = '" + CALLERS + "'");
            }
        }

        void setTransaction(DSLContext trx) {
            switch (this) {
                case SESSION_WITHIN_THE_TRANSACTION -> trx.execute("set lock_timeout = '" + CALLERS + "'");
                case TRANSACTION -> trx.execute("set local lock_timeout = '" + CALLERS + "'");
                case SAVEPOINT -> {
                    trx.execute("set local lock_timeout = '1s'");
                    trx.transaction(nested -> nested.dsl().execute("set local lock_timeout = '" + CALLERS + "'"));
                }
                default -> {}
            }
        }
    }

    /** What becomes of the request; the transaction goes on after each. */
    enum Outcome {
        ACQUIRED {
            @Override
            void of(TransactionLockSettingsTest test, Configuration trx) {
                limited(trx, FREE).acquire();
                limited(trx, FREE).acquire();
            }
        },
        TRIED {
            @Override
            void of(TransactionLockSettingsTest test, Configuration trx) {
                assertThat(limited(trx, FREE).tryAcquire()).isTrue();
                assertThat(TransactionLocks.in(trx).shared(FREE).tryAcquire()).isTrue();
            }
        },
        TRIED_IN_VAIN {
            @Override
            void of(TransactionLockSettingsTest test, Configuration trx) {
                assertThat(limited(trx, BOTH).tryAcquire()).isFalse();
                assertThat(TransactionLocks.in(trx).exclusive(FREE, BUSY).tryAcquire())
                        .isFalse();
            }
        },
        TIMED_OUT {
            @Override
            void of(TransactionLockSettingsTest test, Configuration trx) {
                assertThatThrownBy(() -> trx.dsl()
                                .transaction(nested -> limited(nested, BOTH).acquire()))
                        .isInstanceOf(LockTimeoutException.class);
            }
        },
        REFUSED_BY_STATEMENT_TIMEOUT {
            @Override
            void of(TransactionLockSettingsTest test, Configuration trx) {
                assertThatThrownBy(() -> trx.dsl().transaction(nested -> {
                            nested.dsl().execute("set local statement_timeout = '20ms'");
                            patient(nested).acquire();
                        }))
                        .isInstanceOfSatisfying(
                                DataAccessException.class,
                                e -> assertThat(e.sqlState()).isEqualTo("57014"));
            }
        },
        CANCELLED {
            @Override
            void of(TransactionLockSettingsTest test, Configuration trx) throws Exception {
                var cancelled = test.inBackground(test::cancelWhenItWaits);
                assertThatThrownBy(() ->
                                trx.dsl().transaction(nested -> patient(nested).acquire()))
                        .isInstanceOfSatisfying(
                                DataAccessException.class,
                                e -> assertThat(e.sqlState()).isEqualTo("57014"));
                assertThat(cancelled.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                        .isTrue();
            }
        },
        TRY_CANCELLED {
            @Override
            void of(TransactionLockSettingsTest test, Configuration trx) throws Exception {
                var cancelled = test.inBackground(test::cancelWhenItWaits);
                assertThatThrownBy(() -> patient(trx).tryAcquire())
                        .isInstanceOfSatisfying(
                                DataAccessException.class,
                                e -> assertThat(e.sqlState()).isEqualTo("57014"));
                assertThat(cancelled.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                        .isTrue();
            }
        };

        abstract void of(TransactionLockSettingsTest test, Configuration trx) throws Exception;
    }

    static Stream<Arguments> sourcesAndOutcomes() {
        return Stream.of(Source.values())
                .flatMap(source -> Stream.of(Outcome.values()).map(outcome -> Arguments.of(source, outcome)));
    }

    @ParameterizedTest
    @MethodSource("sourcesAndOutcomes")
    void request_anyOutcome_leavesEverySettingAsItWas(Source source, Outcome outcome) throws Exception {
        inDatabaseOf(source, session -> {
            source.setSession(session);
            Map<String, String> before = settingsAndSources(session);
            session.transaction(trx -> {
                source.setTransaction(trx.dsl());
                Map<String, String> within = settings(trx.dsl());
                assertThat(trx.dsl().fetchValue("show lock_timeout")).isEqualTo(source.lockTimeout);

                outcome.of(this, trx);

                assertThat(settings(trx.dsl())).isEqualTo(within);
                assertThat(trx.dsl().fetchValue("show lock_timeout")).isEqualTo(source.lockTimeout);
            });
            if (source != Source.SESSION_WITHIN_THE_TRANSACTION) {
                assertThat(settingsAndSources(session)).isEqualTo(before);
            }
            assertThat(session.fetchValue("show lock_timeout"))
                    .isEqualTo(source == Source.TRANSACTION || source == Source.SAVEPOINT ? "0" : source.lockTimeout);
        });
    }

    @ParameterizedTest
    @EnumSource(Source.class)
    void acquire_timedOutAndTheTransactionRolledBack_leavesEverySettingForTheNext(Source source) throws Exception {
        inDatabaseOf(source, session -> {
            source.setSession(session);
            Map<String, String> before = settingsAndSources(session);

            assertThatThrownBy(() -> session.transaction(trx -> {
                        source.setTransaction(trx.dsl());
                        limited(trx, BOTH).acquire();
                    }))
                    .isInstanceOf(LockTimeoutException.class);

            assertThat(settingsAndSources(session)).isEqualTo(before);
            session.transaction(trx -> {
                assertThat(settingsAndSources(trx.dsl())).isEqualTo(before);
                limited(trx, FREE).acquire();
            });
            assertThat(settingsAndSources(session)).isEqualTo(before);
        });
    }

    /** A setting of the transaction's own ends with it, and one that the caller makes afterwards stays. */
    @Test
    void acquire_callerSetsLockTimeoutAfterwards_isTheCallersSetting() throws Exception {
        inDatabaseOf(Source.NOWHERE, session -> {
            session.transaction(trx -> {
                limited(trx, FREE).acquire();
                trx.dsl().execute("set lock_timeout = '3s'");
                limited(trx, FREE).acquire();
                assertThat(trx.dsl().fetchValue("show lock_timeout")).isEqualTo("3s");
            });
            assertThat(session.fetchValue("show lock_timeout")).isEqualTo("3s");
        });
    }

    /** The comparison can fail: the setting that the statement makes would be seen. */
    @Test
    void settings_lockTimeoutOfTheTransaction_differ() throws Exception {
        inDatabaseOf(
                Source.NOWHERE,
                session -> session.transaction(trx -> {
                    Map<String, String> before = settings(trx.dsl());
                    trx.dsl().execute("set local lock_timeout = '20ms'");
                    assertThat(settings(trx.dsl())).isNotEqualTo(before).hasSameSizeAs(before);
                }));
    }

    // ---- helpers ----

    private interface Work {
        void in(DSLContext session) throws Exception;
    }

    /** In a database of its own where the role is to be changed there; the busy lock is held by another session. */
    private void inDatabaseOf(Source source, Work work) throws Exception {
        if (source == Source.ROLE) {
            try (ScratchDatabase scratch = database.emptyDatabase()) {
                inDatabase(scratch.url(), source, work);
            }
        } else {
            inDatabase(database.url(), source, work);
        }
    }

    private void inDatabase(String url, Source source, Work work) throws Exception {
        try (Connection other = DriverManager.getConnection(url)) {
            DSLContext admin = DSL.using(other);
            admin.execute("select pg_advisory_lock(?)", BUSY.lockHash());
            source.setDatabase(admin);
            try (Connection connection = DriverManager.getConnection(source.url(url))) {
                work.in(DSL.using(connection));
            }
        }
    }

    private static TransactionLockRequest limited(Configuration trx, LockKey... keys) {
        return TransactionLocks.in(trx).exclusive(List.of(keys)).waitAtMost(SHORT);
    }

    /** With a limit that is not what ends the wait. */
    private static TransactionLockRequest patient(Configuration trx) {
        return TransactionLocks.in(trx).exclusive(FREE, BUSY).waitAtMost(PATIENCE.multipliedBy(2));
    }

    /** PostgreSQL shows the locks of all its databases. */
    private boolean cancelWhenItWaits() {
        DSLContext observer = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
        await().atMost(PATIENCE)
                .until(() -> !observer.fetch(
                                "select pg_cancel_backend(pid) from pg_locks where locktype = 'advisory' and not granted"
                                        + " and (classid::bigint << 32) | objid::bigint = ?",
                                BUSY.lockHash())
                        .isEmpty());
        return true;
    }

    private static Map<String, String> settings(DSLContext session) {
        return session.resultQuery("select name, coalesce(setting, '') from pg_settings")
                .fetchMap(r -> r.get(0, String.class), r -> r.get(1, String.class));
    }

    /** Outside of a transaction also where each comes from; within, one that is put back is the transaction's. */
    private static Map<String, String> settingsAndSources(DSLContext session) {
        return session.resultQuery("select name, concat(setting, ' by ', source) from pg_settings")
                .fetchMap(r -> r.get(0, String.class), r -> r.get(1, String.class));
    }
}
