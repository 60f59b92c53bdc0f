package dev.pals.benchmarks.harness;

import dev.pals.benchmarks.load.Keys;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A plain counter for each key, in a file that all processes of a run have mapped. Nothing but the lock that is
 * measured guards it: where that does not exclude, counts are lost.
 */
public final class Counters implements AutoCloseable {
    /** A cache line for each, so that threads with keys of their own do not disturb one another. */
    private static final int SLOT = 64;

    private final Path file;
    private final MappedByteBuffer slots;

    private Counters(Path file) throws IOException {
        this.file = file;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            slots = channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) SLOT * Keys.LIMIT);
        }
        slots.order(ByteOrder.nativeOrder());
    }

    /** New ones, all zero. */
    public static Counters create() throws IOException {
        return new Counters(Files.createTempFile("pals-benchmarks", ".counters"));
    }

    /** Those that another process has made. */
    static Counters of(String file) throws IOException {
        return new Counters(Path.of(file));
    }

    String file() {
        return file.toString();
    }

    long count(int key) {
        return slots.getLong(key * SLOT);
    }

    void set(int key, long count) {
        slots.putLong(key * SLOT, count);
    }

    /** Makes all of them zero. */
    void reset() {
        for (int key = 0; key < Keys.LIMIT; key++) {
            set(key, 0);
        }
    }

    /** Fails where the sum is not how often somebody had a lock for himself. */
    void check(long sections) throws TurnFailedException {
        long sum = 0;
        for (int key = 0; key < Keys.LIMIT; key++) {
            sum += count(key);
        }
        if (sum != sections) {
            throw new TurnFailedException("of " + sections + " sections only " + sum
                    + " were counted: two threads had the same lock at the same time");
        }
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(file);
    }
}
