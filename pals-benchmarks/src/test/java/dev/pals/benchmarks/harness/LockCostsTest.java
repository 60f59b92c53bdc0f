package dev.pals.benchmarks.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Who holds how many. */
class LockCostsTest {
    @Test
    void share_notDivisible_isAllOfThemTogether() {
        List<Integer> shares = IntStream.range(0, 4)
                .mapToObj(process -> LockCosts.share(10, 4, process))
                .toList();
        assertThat(shares).containsExactly(3, 3, 2, 2);
    }
}
