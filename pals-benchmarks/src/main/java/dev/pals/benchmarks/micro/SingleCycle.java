package dev.pals.benchmarks.micro;

import dev.pals.benchmarks.contender.Contender;
import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Locks;
import dev.pals.benchmarks.contender.Place;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Locks and unlocks a free key. The parameters are given by {@link Allocation}. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class SingleCycle {
    @Param("")
    public String contestant = "";

    @Param("")
    public String url = "";

    @Param("")
    public String redis = "";

    private @Nullable Contender contender;
    private @Nullable Locks locks;

    @Setup
    public void open() throws Exception {
        Contender opened = Contestant.of(contestant).open(new Place(url, redis.isEmpty() ? null : redis, 0));
        contender = opened;
        locks = opened.locks();
    }

    @TearDown
    public void close() throws Exception {
        Objects.requireNonNull(locks).close();
        Objects.requireNonNull(contender).close();
    }

    @Benchmark
    public void cycle() throws Exception {
        if (!Objects.requireNonNull(locks).tryLocked(1, () -> {})) {
            throw new IllegalStateException("the key was not free, and nobody else uses it");
        }
    }
}
