package dev.pals.internal.gate;

import dev.pals.internal.gate.Gates.Outcome;
import dev.pals.internal.session.Sessions;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A request for which no thread waits: when its passage can go on, one of a few threads of the locker's comes by.
 *
 * @param <T> what its stage is completed with
 */
final class AsyncRequest<T extends @Nullable Object> implements Entry.Caller {
    private final Sessions sessions;
    private final Passage passage;
    private final Function<Passage, Outcome> granted;
    private final Function<Passage, Outcome> missed;
    private final Function<Outcome, T> result;
    private final CompletableFuture<T> stage = new CompletableFuture<>();
    /** How often it was woken and has not looked since; whoever makes it 1 goes on. */
    private final AtomicInteger wakes = new AtomicInteger();

    private boolean ended;
    private @Nullable Future<?> timer;

    AsyncRequest(
            Sessions sessions,
            Function<Entry.Caller, Passage> passage,
            Function<Passage, Outcome> granted,
            Function<Passage, Outcome> missed,
            Function<Outcome, T> result) {
        this.sessions = sessions;
        this.passage = passage.apply(this);
        this.granted = granted;
        this.missed = missed;
        this.result = result;
    }

    CompletableFuture<T> start() {
        wake();
        var unused = stage.whenComplete((value, failure) -> {
            // Cancelled, or timed out by orTimeout(); where the request itself has failed, it does no harm.
            if (failure != null) {
                wake();
            }
        });
        return stage;
    }

    @Override
    public void wake() {
        if (wakes.getAndIncrement() == 0) {
            try {
                sessions.steps().execute(this::goOn);
            } catch (RejectedExecutionException e) {
                // The locker is closed, which is what the request is to find.
                goOn();
            }
        }
    }

    @Override
    public boolean isThisThread() {
        return false;
    }

    private void goOn() {
        int seen;
        do {
            seen = wakes.get();
            if (!ended) {
                step();
            }
        } while (wakes.addAndGet(-seen) != 0);
    }

    private void step() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
        if (stage.isDone()) {
            ended = true;
            passage.giveUp();
            return;
        }
        try {
            switch (passage.go()) {
                case GRANTED -> end(granted.apply(passage));
                case MISSED -> end(missed.apply(passage));
                case WAITING -> wakeLater(passage.nanosToWait());
            }
        } catch (RuntimeException | Error e) {
            ended = true;
            complete(() -> stage.completeExceptionally(e));
        }
    }

    private void wakeLater(long nanos) {
        if (nanos != Long.MAX_VALUE) {
            try {
                timer = sessions.schedule(this::wake, nanos);
            } catch (RejectedExecutionException e) {
                // The locker is being closed, and tells its gates.
                wakes.incrementAndGet();
            }
        }
    }

    private void end(Outcome outcome) {
        ended = true;
        complete(() -> {
            try {
                if (!stage.complete(result.apply(outcome))) {
                    release(outcome);
                }
            } catch (RuntimeException e) {
                stage.completeExceptionally(e);
            }
        });
    }

    /** It was cancelled when it was granted. */
    private static void release(Outcome outcome) {
        if (outcome.handle() != null) {
            outcome.handle().close();
        }
    }

    /** Elsewhere: what the program has hung on the stage must not keep other requests. */
    private static void complete(Runnable completion) {
        var unused = CompletableFuture.runAsync(completion);
    }
}
