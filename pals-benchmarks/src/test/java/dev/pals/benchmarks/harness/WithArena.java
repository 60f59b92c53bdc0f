package dev.pals.benchmarks.harness;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** Tests that share real servers. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class WithArena {
    Arena arena;

    @BeforeAll
    void open() throws Exception {
        arena = Arena.open(false);
    }

    @AfterAll
    void close() throws Exception {
        arena.close();
    }
}
