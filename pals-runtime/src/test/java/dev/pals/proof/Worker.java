package dev.pals.proof;

import static dev.pals.OtherProgram.say;

import com.zaxxer.hikari.HikariDataSource;
import dev.pals.Locker;
import dev.pals.OtherProgram;
import dev.pals.lock.LockException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A program whose threads lock and write at random. It is told to rest, to close its locker, and to go on; and what the
 * faults need.
 */
public final class Worker {
    static final String APP = "proof";
    /** At the beginning of the note about an exception that the library should not have thrown. */
    static final String UNTYPED = "untyped: ";

    static final String READY = "ready";
    static final String RESTING = "resting";
    static final String CLOSED = "closed";
    static final String INTERRUPTED = "interrupted";
    static final String EXHAUSTED = "exhausted";

    private final String name;
    private final Profile profile;
    private final String lockUrl;
    private final List<Load> loads = new ArrayList<>();
    private final Journal told;
    private @Nullable HikariDataSource pool;
    private @Nullable Locker locker;

    /** What a worker is told at its start. */
    record Task(String name, Profile profile, long seed, int threads, int keys, List<Step> steps, String journalUrl) {
        static Task parse(String[] arguments) {
            return new Task(
                    arguments[0],
                    Profile.valueOf(arguments[1]),
                    Long.parseLong(arguments[2]),
                    Integer.parseInt(arguments[3]),
                    Integer.parseInt(arguments[4]),
                    Stream.of(arguments[5].split(",", -1)).map(Step::valueOf).toList(),
                    arguments[6]);
        }

        String[] arguments() {
            return new String[] {
                name,
                profile.name(),
                Long.toString(seed),
                Integer.toString(threads),
                Integer.toString(keys),
                String.join(",", steps.stream().map(Step::name).toList()),
                journalUrl
            };
        }
    }

    private Worker(Task task) {
        name = task.name();
        profile = task.profile();
        lockUrl = profile.url(OtherProgram.url() + "&ApplicationName=" + Journal.sessionName(name));
        told = new Journal(task.journalUrl(), name);
        Random seeds = new Random(task.seed());
        for (int i = 0; i < task.threads(); i++) {
            loads.add(new Load(this, name + "." + i, task, seeds.nextLong(), told));
        }
    }

    public static void main(String[] arguments) throws Exception {
        Worker worker = new Worker(Task.parse(arguments));
        start("teller", worker::tellForEver);
        worker.open();
        worker.loads.forEach(load -> start(load.name(), load));
        say(READY);
        while (true) {
            String[] words = OtherProgram.heard().split(" ", -1);
            worker.obey(words);
        }
    }

    private static void start(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void tellForEver() {
        try {
            while (true) {
                told.writeTold();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    Locker locker() {
        return Objects.requireNonNull(locker);
    }

    /** Until it succeeds, as a program does that is started while its database is away. */
    private void open() throws InterruptedException {
        while (locker == null) {
            try {
                if (pool == null) {
                    pool = profile.pool(lockUrl);
                }
                locker = profile.open(lockUrl, pool);
            } catch (LockException | com.zaxxer.hikari.pool.HikariPool.PoolInitializationException e) {
                told.tell(Event.Kind.FAILED, name, "opening: " + e);
                TimeUnit.MILLISECONDS.sleep(100);
            }
        }
    }

    private void obey(String[] words) throws InterruptedException {
        switch (words[0]) {
            case "rest" -> {
                loads.forEach(Load::rest);
                start("rest", this::sayWhenResting);
            }
            case "close" -> {
                locker().close();
                locker = null;
                say(CLOSED + " "
                        + (pool == null ? 0 : pool.getHikariPoolMXBean().getActiveConnections()));
                if (pool != null) {
                    pool.close();
                    pool = null;
                }
            }
            case "go" -> {
                open();
                loads.forEach(Load::goOn);
                say(READY);
            }
            case "interrupt" ->
                say(INTERRUPTED + " "
                        + loads.get(Integer.parseInt(words[1]) % loads.size()).interrupt());
            case "exhaust" -> start("exhaust", () -> exhaust(Duration.ofMillis(Long.parseLong(words[1]))));
            case "dump" ->
                Thread.getAllStackTraces().forEach((thread, stack) -> say("| " + thread + " " + List.of(stack)));
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private void sayWhenResting() {
        try {
            while (told.hasUntold() || !loads.stream().allMatch(Load::isResting)) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
            say(RESTING);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Takes every connection of the pool that is to be had, and says how many those were. */
    private void exhaust(Duration time) {
        List<Connection> taken = new ArrayList<>();
        long end = System.nanoTime() + time.toNanos();
        HikariDataSource exhausted = Objects.requireNonNull(pool);
        while (System.nanoTime() < end) {
            try {
                taken.add(exhausted.getConnection());
            } catch (SQLException e) {
                // There is none just now; another may come back.
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
        }
        for (Connection connection : taken) {
            try {
                connection.close();
            } catch (SQLException e) {
                told.tell(Event.Kind.FAILED, name, "giving back: " + e);
            }
        }
        say(EXHAUSTED + " " + taken.size());
    }
}
