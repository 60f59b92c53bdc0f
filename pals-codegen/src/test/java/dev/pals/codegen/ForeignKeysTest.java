package dev.pals.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the processor refuses is what the audit view shows by its tool. */
final class ForeignKeysTest {
    private static final Path VIEW =
            Path.of("..", "db", "src", "main", "resources", "dev", "pals", "db", "migration", "R__advisory_lock.sql");

    /** Whoever takes just any 32 bits cannot be told from others by a key. */
    private static final List<ForeignKeys> OF_ANY_32_BITS =
            List.of(ForeignKeys.GOLANG_MIGRATE, ForeignKeys.DJANGO_PGLOCKS);

    @Test
    void tools_thatTakeKnownKeys_areNamedInTheAuditView() throws IOException {
        String view = Files.readString(VIEW);

        assertThat(Arrays.stream(ForeignKeys.values()).filter(tool -> !OF_ANY_32_BITS.contains(tool)))
                .isNotEmpty()
                .allSatisfy(tool -> assertThat(view).contains("'" + tool.toolName() + "', " + columns(tool)));
    }

    /** The least key, the greatest, and the step where there is one. */
    private static String columns(ForeignKeys tool) {
        String keys = tool.keys().replace(" to ", ", ").replace(" in steps of ", ", ");
        return keys.contains(",") ? keys : keys + ", " + keys;
    }
}
