package dev.pals.benchmarks.load;

import dev.pals.benchmarks.load.Load.Act;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All loads, by name. */
public final class Loads {
    /** The one that others beside held locks are compared with. */
    public static final String OWN_1 = "own-1";

    public static final String OWN_64 = "own-64";
    public static final String HOT_8 = "hot-8";
    public static final String HOT_8_IN_TWO = HOT_8 + "-2jvms";
    public static final String BESIDE = "beside-10000";
    public static final String TRANSACTIONS = "transactions-8";

    /** Whose costs are compared: 10 and 10,000 keys, in 1 and in 4 JVMs. */
    public static final List<String> BY_KEYS_AND_PROCESSES =
            List.of("ten-64", "tenthousand-64", "ten-64-4jvms", "tenthousand-64-4jvms");

    private static final Map<String, Load> ALL = new LinkedHashMap<>();

    static {
        for (int threads : new int[] {1, 8, 64, 256}) {
            add(own("own-" + threads, "each its own key", threads, false));
        }
        add(new Load(
                BESIDE, "1 thread, its own key, beside 10,000 locks held", 1, 1, Keys.OWN, Act.TRY, 0, 10_000, false));
        for (int processes : new int[] {1, 2, 4}) {
            for (int millis : new int[] {0, 1}) {
                for (int threads : new int[] {2, 8, 64, 256}) {
                    if (threads >= processes) {
                        add(hot(processes, threads, millis));
                    }
                }
            }
        }
        for (int processes : new int[] {1, 4}) {
            add(drawn("zipf", Keys.ZIPF, "1,000 keys, Zipf-distributed", processes));
            add(drawn("ten", Keys.TEN, "10 keys", processes));
            add(drawn("tenthousand", Keys.TEN_THOUSAND, "10,000 keys", processes));
        }
        for (int millis : new int[] {0, 1}) {
            add(new Load(
                    "readers-64" + suffix(1, millis),
                    "64 threads, one key, 95 % readers, " + section(millis),
                    1,
                    64,
                    Keys.HOT,
                    Act.READ_MOSTLY,
                    millis,
                    0,
                    false));
        }
        for (int threads : new int[] {1, 8, 64}) {
            add(new Load(
                    "transactions-" + threads,
                    threads(threads) + ", a locked transaction with one update, 1,000 keys",
                    1,
                    threads,
                    Keys.ACCOUNT,
                    Act.TRANSACTION,
                    0,
                    0,
                    false));
        }
        add(own("virtual-own-1000", "virtual threads, each its own key", 1_000, true));
        add(new Load("virtual-hot-1000", "1,000 virtual threads, one key", 1, 1_000, Keys.HOT, Act.WAIT, 0, 0, true));
    }

    private Loads() {}

    private static void add(Load load) {
        ALL.put(load.name(), load);
    }

    private static Load own(String name, String what, int threads, boolean virtual) {
        String title = threads == 1
                ? "1 thread, its own key"
                : String.format("%,d %s", threads, virtual ? what : "threads, " + what);
        return new Load(name, title, 1, threads, Keys.OWN, Act.TRY, 0, 0, virtual);
    }

    private static Load drawn(String name, Keys keys, String which, int processes) {
        return new Load(
                name + "-64" + suffix(processes, 0),
                threads(64) + jvms(processes) + ", " + which,
                processes,
                64,
                keys,
                Act.WAIT,
                0,
                0,
                false);
    }

    private static Load hot(int processes, int threads, int millis) {
        String title = threads(threads) + jvms(processes) + ", one key, " + section(millis);
        return new Load(
                "hot-" + threads + suffix(processes, millis),
                title,
                processes,
                threads,
                Keys.HOT,
                Act.WAIT,
                millis,
                0,
                false);
    }

    private static String threads(int threads) {
        return threads == 1 ? "1 thread" : threads + " threads";
    }

    private static String jvms(int processes) {
        return processes == 1 ? "" : " in " + processes + " JVMs";
    }

    private static String suffix(int processes, int millis) {
        return (processes == 1 ? "" : "-" + processes + "jvms") + (millis == 0 ? "" : "-" + millis + "ms");
    }

    private static String section(int millis) {
        return millis == 0 ? "nothing done with it" : "held for " + millis + " ms";
    }

    /** All of them, in the report's order. */
    public static List<Load> all() {
        return List.copyOf(ALL.values());
    }

    /** One of them. */
    public static Load of(String name) {
        Load load = ALL.get(name);
        if (load == null) {
            throw new IllegalArgumentException("There is no load \"" + name + "\"; there are " + ALL.keySet() + ".");
        }
        return load;
    }

    /** Those that are measured in turns with one another: all of one thread, and each of the others for itself. */
    public static List<List<Load>> grouped(Collection<Load> loads) {
        Map<String, List<Load>> groups = new LinkedHashMap<>();
        for (Load load : loads) {
            String group = load.threads() == 1 && load.act() == Act.TRY ? OWN_1 : load.name();
            groups.computeIfAbsent(group, name -> new ArrayList<>()).add(load);
        }
        return List.copyOf(groups.values());
    }
}
