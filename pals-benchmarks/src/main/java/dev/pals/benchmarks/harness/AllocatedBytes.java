package dev.pals.benchmarks.harness;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;

/** What the threads of this process have allocated since then. Those that end meanwhile are not in it. */
final class AllocatedBytes {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Map<Long, Long> before = byThread();

    /** Of the thread that asks, since it began; negative if it is a virtual one. */
    static long ofThisThread() {
        return THREADS.getCurrentThreadAllocatedBytes();
    }

    long soFar() {
        return byThread().entrySet().stream()
                .mapToLong(each -> each.getValue() - before.getOrDefault(each.getKey(), 0L))
                .sum();
    }

    private static Map<Long, Long> byThread() {
        long[] threads = THREADS.getAllThreadIds();
        long[] bytes = THREADS.getThreadAllocatedBytes(threads);
        Map<Long, Long> byThread = new HashMap<>();
        for (int i = 0; i < threads.length; i++) {
            // One that has just ended has no more than this to say.
            if (bytes[i] >= 0) {
                byThread.put(threads[i], bytes[i]);
            }
        }
        return byThread;
    }
}
