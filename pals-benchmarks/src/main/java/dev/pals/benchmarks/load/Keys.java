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
                return Math.min(found < 0 ? -found - 1 : found, UP_TO.length - 1);
            };
        }
    },
    /** Any of ten. */
    TEN {
        @Override
        public IntSupplier of(int process, int thread) {
            return () -> ThreadLocalRandom.current().nextInt(10);
        }
    },
    /** Any of the accounts that locked transactions change. */
    ACCOUNT {
        @Override
        public IntSupplier of(int process, int thread) {
            return () -> ThreadLocalRandom.current().nextInt(ACCOUNTS);
        }
    },
    /** Any of ten thousand. */
    TEN_THOUSAND {
        @Override
        public IntSupplier of(int process, int thread) {
            return () -> ThreadLocalRandom.current().nextInt(10_000);
        }
    };

    public static final int ACCOUNTS = 1_000;

    /** All keys are less. */
    public static final int LIMIT = 40_000;

    private static final int THREADS_OF_A_PROCESS = 10_000;
    private static final double[] UP_TO = zipf(1_000);

    /** A source of keys for one thread. */
    public abstract IntSupplier of(int process, int thread);

    private static double[] zipf(int keys) {
        double[] upTo = new double[keys];
        double sum = 0;
        for (int i = 0; i < keys; i++) {
            sum += 1.0 / (i + 1);
            upTo[i] = sum;
        }
        double all = sum;
        Arrays.setAll(upTo, i -> upTo[i] / all);
        return upTo;
    }
}
