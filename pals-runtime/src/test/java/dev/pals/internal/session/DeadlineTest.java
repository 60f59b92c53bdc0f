package dev.pals.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.lock.WaitPolicy;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The clock may begin anywhere, and wraps around. */
final class DeadlineTest {
    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 0, Long.MAX_VALUE - 5, Long.MAX_VALUE})
    void deadline_clockOfAnyOrigin_passesAtItsLimit(long start) {
        AtomicLong clock = new AtomicLong(start);
        Deadline deadline = Deadline.start(WaitPolicy.atMost(Duration.ofNanos(10)), clock::get);

        clock.addAndGet(9);
        assertThat(deadline.hasPassed()).isFalse();
        assertThat(deadline.remainingNanos()).isEqualTo(1);
        assertThat(deadline.nanos() - clock.get()).isEqualTo(1);
        assertThat(deadline.elapsed()).isEqualTo(Duration.ofNanos(9));

        clock.incrementAndGet();
        assertThat(deadline.hasPassed()).isTrue();
        clock.addAndGet(Duration.ofDays(365).toNanos());
        assertThat(deadline.hasPassed()).isTrue();
        assertThat(deadline.remainingNanos()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 0, Long.MAX_VALUE})
    void deadline_ofForever_neverPasses(long start) {
        AtomicLong clock = new AtomicLong(start);
        Deadline deadline = Deadline.start(WaitPolicy.forever(), clock::get);

        clock.addAndGet(Duration.ofDays(100 * 365).toNanos());
        assertThat(deadline.isForever()).isTrue();
        assertThat(deadline.hasPassed()).isFalse();
        assertThat(deadline.nanos() - clock.get()).isPositive();
    }
}
