package dev.pals.proof;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** What goes wrong. */
enum Fault {
    /** A worker gets SIGKILL, and another one starts in its place. */
    WORKER_KILLED(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            Optional<WorkerProgram> victim = scene.anyWorker(random, any -> true);
            if (victim.isEmpty()) {
                return Optional.empty();
            }
            Set<String> names = Set.of(victim.get().name());
            Set<Long> keys = scene.keysOf(names);
            long from = Journal.now();
            victim.get().kill();
            scene.replace(victim.get());
            return Optional.of(new FaultRecord(this, names, keys, from, Journal.now()));
        }
    },
    /** A worker without a lease gets SIGSTOP, and later SIGCONT: it keeps its locks meanwhile. */
    WORKER_STOPPED(false) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            Optional<WorkerProgram> victim = scene.anyWorker(random, any -> any.profile() != Profile.LEASED);
            return stop(scene, victim, millis(random, 200, 2_500));
        }
    },
    /** A worker with a lease gets SIGSTOP for longer than that: PostgreSQL ends its sessions. */
    WORKER_STOPPED_BEYOND_LEASE(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            Optional<WorkerProgram> victim = scene.anyWorker(random, any -> any.profile() == Profile.LEASED);
            return stop(scene, victim, Profile.LEASE.plus(millis(random, 200, 2_000)));
        }
    },
    /** {@code pg_terminate_backend} of a session that holds a lock. */
    HOLDER_TERMINATED(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) {
            return signal(scene, "pg_terminate_backend", scene.anyLock(random, Scene.LockRow::granted));
        }
    },
    /** {@code pg_terminate_backend} of a session that waits for a lock. */
    WAITER_TERMINATED(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) {
            return signal(scene, "pg_terminate_backend", scene.anyLock(random, row -> !row.granted()));
        }
    },
    /** {@code pg_cancel_backend} of a session that waits for a lock. */
    WAITER_CANCELLED(false) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) {
            return signal(scene, "pg_cancel_backend", scene.anyLock(random, row -> !row.granted()));
        }
    },
    /** {@code pg_cancel_backend} of sessions to which PostgreSQL has granted a lock, and not answered yet. */
    GRANTED_CANCELLED(false) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return stallTokens(scene, () -> {
                pause(millis(random, 60, 250));
                return scene.blockedOnTokens().stream()
                        .filter(row -> scene.control()
                                .rows(result -> result.getBoolean(1), "select pg_cancel_backend(?)", row.pid())
                                .get(0))
                        .toList();
            });
        }
    },
    /** The same by {@code statement_timeout}, in workers that have one. */
    STATEMENT_TIMEOUT(false) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return timeOut(scene, row -> isOf(Profile.TIMED, row.worker()));
        }
    },
    /** The same by {@code lock_timeout}: by that of a wait, or in workers that have one. */
    LOCK_TIMEOUT(false) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return timeOut(
                    scene,
                    row -> !isOf(Profile.TIMED, row.worker()) && (row.waits() || isOf(Profile.POOLED, row.worker())));
        }
    },
    /** A thread of a worker is interrupted, wherever it is. */
    INTERRUPTED(false) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return on(
                    scene,
                    scene.anyWorker(random, any -> true),
                    victim -> victim.ask("interrupt " + random.nextInt(100), Worker.INTERRUPTED)
                            .endsWith(" true"));
        }
    },
    /** Somebody takes every connection of the pool that a locker uses. */
    POOL_EXHAUSTED(false) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            Duration time = millis(random, 300, 1_500);
            return on(
                    scene,
                    scene.anyWorker(random, any -> any.profile() == Profile.POOLED),
                    victim -> !victim.ask("exhaust " + time.toMillis(), Worker.EXHAUSTED)
                            .endsWith(" 0"));
        }
    },
    /** The network is slow in both directions. */
    NETWORK_SLOW(false) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            Duration delay = millis(random, 20, 400);
            return on(scene, scene.anyWorker(random, any -> true), victim -> {
                victim.network().delay(delay);
                pause(millis(random, 500, 2_000));
                return victim.network().heal() > 0;
            });
        }
    },
    /** All connections of a worker are cut. */
    NETWORK_CUT(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return on(
                    scene,
                    scene.anyWorker(random, any -> true),
                    victim -> victim.network().cut() > 0);
        }
    },
    /** They are cut when PostgreSQL has done what it was asked, and before the worker hears of it. */
    NETWORK_CUT_BEFORE_ANSWER(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return on(scene, scene.anyWorker(random, any -> true), victim -> {
                victim.network().cutWithTheNextAnswer();
                pause(millis(random, 50, 500));
                return victim.network().heal() > 0;
            });
        }
    },
    /** What the worker sends is dropped, and neither end is told. */
    REQUESTS_DROPPED(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return silence(scene, random, true, false);
        }
    },
    /** What PostgreSQL answers is dropped: it has done what it was asked. */
    ANSWERS_DROPPED(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return silence(scene, random, false, true);
        }
    },
    /** Both. */
    NETWORK_SILENT(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return silence(scene, random, true, true);
        }
    },
    /** A careless client takes locks until the server has room for no more (53200), and keeps them for a while. */
    LOCK_TABLE_FULL(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return onServer(scene, () -> {
                try (Connection careless =
                                DriverManager.getConnection(scene.server().url());
                        Statement statement = careless.createStatement()) {
                    takeAllLocks(statement);
                    pause(millis(random, 100, 800));
                    // The session ends a moment after it was closed, and the next fault needs a lock itself.
                    statement.execute("select pg_advisory_unlock_all()");
                }
            });
        }
    },
    /** {@code pg_ctl restart -m immediate}: it crashes and recovers. */
    SERVER_RESTARTED(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return onServer(scene, scene.server()::restartImmediately);
        }
    },
    /** The server crashes, and its standby becomes the server; there no session lock is held any more. */
    FAILED_OVER(true) {
        @Override
        Optional<FaultRecord> strike(Scene scene, Random random) throws Exception {
            return scene.server().hasStandby() ? onServer(scene, scene::failOver) : Optional.empty();
        }
    };

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(50);
    /** Less than half of a session's patience, the least of which is half of the lease: then it is given up. */
    private static final Duration LONGEST_STALL = Duration.ofMillis(700);

    private final boolean mayEndSessions;

    Fault(boolean mayEndSessions) {
        this.mayEndSessions = mayEndSessions;
    }

    /** Whether it is a reason for a lock to be lost. */
    boolean mayEndSessions() {
        return mayEndSessions;
    }

    /** Does it, and returns when it is over; empty if there is nobody to hit at the moment. */
    abstract Optional<FaultRecord> strike(Scene scene, Random random) throws Exception;

    private static boolean isOf(Profile profile, String worker) {
        return worker.startsWith(profile.name().toLowerCase(Locale.ROOT));
    }

    private interface Blow {
        void strike() throws Exception;
    }

    private interface BlowTo {
        /** Whether it has hit it. */
        boolean strike(WorkerProgram victim) throws Exception;
    }

    private static Duration millis(Random random, int least, int most) {
        return Duration.ofMillis(least + random.nextInt(most - least));
    }

    private static void pause(Duration time) {
        LockSupport.parkNanos(time.toNanos());
    }

    final Optional<FaultRecord> on(Scene scene, Optional<WorkerProgram> victim, BlowTo blow) throws Exception {
        if (victim.isEmpty()) {
            return Optional.empty();
        }
        try {
            Set<String> names = Set.of(victim.get().name());
            Set<Long> keys = scene.keysOf(names);
            long from = Journal.now();
            return blow.strike(victim.get())
                    ? Optional.of(new FaultRecord(this, names, keys, from, Journal.now()))
                    : Optional.empty();
        } finally {
            victim.get().recovers();
        }
    }

    final Optional<FaultRecord> stop(Scene scene, Optional<WorkerProgram> victim, Duration time) throws Exception {
        return on(scene, victim, stopped -> {
            stopped.stop();
            pause(time);
            stopped.goOn();
            return true;
        });
    }

    final Optional<FaultRecord> silence(Scene scene, Random random, boolean requests, boolean answers)
            throws Exception {
        return on(scene, scene.anyWorker(random, any -> true), victim -> {
            victim.network().silence(requests, answers);
            pause(millis(random, 500, 4_000));
            return victim.network().heal() > 0;
        });
    }

    final Optional<FaultRecord> onServer(Scene scene, Blow blow) throws Exception {
        scene.serverIsHit().lock();
        try {
            Set<Long> keys = scene.keysOf(List.of());
            long from = Journal.now();
            blow.strike();
            return Optional.of(new FaultRecord(this, Set.of(), keys, from, Journal.now()));
        } finally {
            scene.serverIsHit().unlock();
        }
    }

    final Optional<FaultRecord> signal(Scene scene, String function, Optional<Scene.LockRow> victim) {
        return victim.flatMap(row -> {
            Set<Long> keys = scene.keysOf(Set.of(row.worker()));
            long from = Journal.now();
            List<Boolean> sent =
                    scene.control().rows(result -> result.getBoolean(1), "select " + function + "(?)", row.pid());
            return sent.get(0)
                    ? Optional.of(new FaultRecord(this, Set.of(row.worker()), keys, from, Journal.now()))
                    : Optional.empty();
        });
    }

    private interface Stall {
        /** Returns whom it has hit. */
        List<Scene.Stalled> meanwhile();
    }

    /** Those count that were seen without a token, and have given up while the sequence was locked. */
    final Optional<FaultRecord> timeOut(Scene scene, Predicate<Scene.Stalled> mayTimeOut) throws Exception {
        return stallTokens(scene, () -> {
            long end = System.nanoTime() + LONGEST_STALL.toNanos();
            Set<Scene.Stalled> seen = new HashSet<>();
            Set<Scene.Stalled> gaveUp = new HashSet<>();
            while (gaveUp.isEmpty() && System.nanoTime() < end) {
                pause(BETWEEN_LOOKS);
                List<Scene.Stalled> blocked = scene.blockedOnTokens();
                blocked.stream().filter(mayTimeOut).forEach(seen::add);
                gaveUp.addAll(seen);
                blocked.forEach(gaveUp::remove);
            }
            return List.copyOf(gaveUp);
        });
    }

    /**
     * Locks the sequence of fencing tokens for a while: a lock that is granted then has no answer until it has its
     * token.
     */
    final Optional<FaultRecord> stallTokens(Scene scene, Stall stall) throws Exception {
        scene.serverIsHit().lock();
        try (Connection connection = DriverManager.getConnection(scene.server().url());
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            long from = Journal.now();
            statement.execute("alter sequence pals.fencing_token no cycle");
            Set<String> names =
                    stall.meanwhile().stream().map(Scene.Stalled::worker).collect(Collectors.toSet());
            Set<Long> keys = names.isEmpty() ? Set.of() : scene.keysOf(names);
            connection.rollback();
            return names.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new FaultRecord(this, names, keys, from, Journal.now()));
        } finally {
            scene.serverIsHit().unlock();
        }
    }

    private static void takeAllLocks(Statement careless) throws SQLException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        try {
            while (System.nanoTime() < end) {
                careless.execute("select count(pg_advisory_lock(i)) from generate_series(1, 1000000) i");
            }
        } catch (SQLException e) {
            if ("53200".equals(e.getSQLState())) {
                return;
            }
            throw e;
        }
        throw new IllegalStateException("The server has room for too many locks");
    }
}
