package dev.pals.proof;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Strikes faults at random times, several at a time. Each is drawn once before any is drawn again; the seed says in
 * which order.
 */
final class Adversary implements AutoCloseable {
    private static final int HANDS = 2;
    /** For how long a fault looks for somebody whom it can hit. */
    private static final long LOOKING_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Scene scene;
    private final List<Fault> faults;
    private final Duration longestPause;
    private final Random seeds;
    private final Deque<Fault> deck = new ArrayDeque<>();
    private final ExecutorService hands = Executors.newFixedThreadPool(HANDS);

    private record Drawn(Fault fault, Random random) {}

    Adversary(Scene scene, Set<Fault> faults, Duration longestPause, long seed) {
        this.scene = scene;
        // A failover needs a standby, so it comes when there is one.
        this.faults =
                faults.stream().filter(fault -> fault != Fault.FAILED_OVER).toList();
        this.longestPause = longestPause;
        this.seeds = new Random(seed);
    }

    /** Begins; each hand ends after the fault that it is about to strike at this time. */
    List<Future<List<FaultRecord>>> strikeUntil(long endNanos) {
        List<Future<List<FaultRecord>>> struck = new ArrayList<>();
        for (int i = 0; i < HANDS && !faults.isEmpty(); i++) {
            struck.add(hands.submit(() -> strike(endNanos)));
        }
        return struck;
    }

    private List<FaultRecord> strike(long endNanos) throws Exception {
        List<FaultRecord> struck = new ArrayList<>();
        while (System.nanoTime() < endNanos) {
            Drawn drawn = draw();
            TimeUnit.MILLISECONDS.sleep(drawn.random().nextInt((int) longestPause.toMillis()) + 1);
            strike(drawn, endNanos).ifPresent(struck::add);
        }
        return struck;
    }

    private synchronized Drawn draw() {
        if (deck.isEmpty()) {
            List<Fault> shuffled = new ArrayList<>(faults);
            Collections.shuffle(shuffled, seeds);
            deck.addAll(shuffled);
        }
        return new Drawn(deck.remove(), new Random(seeds.nextLong()));
    }

    private Optional<FaultRecord> strike(Drawn drawn, long endNanos) throws Exception {
        long end = Math.min(endNanos, System.nanoTime() + LOOKING_NANOS);
        Optional<FaultRecord> struck = drawn.fault().strike(scene, drawn.random());
        while (struck.isEmpty() && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(20);
            struck = drawn.fault().strike(scene, drawn.random());
        }
        return struck;
    }

    @Override
    public void close() {
        hands.shutdownNow();
    }
}
