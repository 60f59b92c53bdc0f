package dev.pals.benchmarks.load;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.IntSupplier;

/** Which key a cycle is about. */
public enum Keys {
    /** Each thread its own. */
    OWN {
        @Override
        public IntSupplier of(int process, int thread) {
            int key = process * THREADS_OF_A_PROCESS + thread;
            return () -> key;
        }
    },
    /** One for all. */
    HOT {
        @Override
        public IntSupplier of(int process, int thread) {
            return () -> 0;
        }
    },
    /** Of a thousand: the second half as often as the first, the third a third as often. */
    ZIPF {
        @Override
        public IntSupplier of(int process, int thread) {
            return () -> {
                double drawn = ThreadLocalRandom.current().nextDouble();
                int found = Arrays.binarySearch(UP_TO, drawn);
                return Math.min(found < 0 ? -found - 1 : found, MANY - 1);
            };
        }
    },
    /** Any of a thousand. */
    RANDOM {
        @Override
        public IntSupplier of(int process, int thread) {
            return () -> ThreadLocalRandom.current().nextInt(MANY);
        }
    };

    /** How many keys ZIPF and RANDOM have. */
    public static final int MANY = 1_000;

    private static final int THREADS_OF_A_PROCESS = 10_000;
    private static final double[] UP_TO = zipf();

    /** A source of keys for one thread. */
    public abstract IntSupplier of(int process, int thread);

    private static double[] zipf() {
        double[] upTo = new double[MANY];
        double sum = 0;
        for (int i = 0; i < MANY; i++) {
            sum += 1.0 / (i + 1);
            upTo[i] = sum;
        }
        double all = sum;
        Arrays.setAll(upTo, i -> upTo[i] / all);
        return upTo;
    }
}
