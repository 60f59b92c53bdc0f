package dev.pals.examples.transfers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class TransfersTest {
    private static final String HEADER = "id,from_account,to_account,amount\n";
    private static final int SMALL = 4_000;

    @TempDir
    Path directory;

    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private List<String> shippedLines = List.of();

    @BeforeEach
    void readShippedFile() throws IOException {
        try (Reader reader = shippedFile()) {
            StringBuilder text = new StringBuilder();
            char[] buffer = new char[8192];
            for (int n = reader.read(buffer); n >= 0; n = reader.read(buffer)) {
                text.append(buffer, 0, n);
            }
            shippedLines = text.toString().lines().toList();
        }
    }

    @Test
    void shippedFile_isValid_andLargeEnough() throws IOException {
        try (Reader reader = shippedFile()) {
            assertThat(TransferFile.read("transfers.csv", reader)).hasSizeGreaterThanOrEqualTo(20_000);
        }
    }

    @Test
    void job_withAWorkerKilled_endsWithTheSequentialBalances() throws IOException {
        int status = run(smallFile().toString());

        assertThat(text())
                .contains("It is killed with SIGKILL now")
                .contains("PostgreSQL freed its locks within")
                .contains("Its work was redone")
                .contains("|transfers-worker-1|transfers|chunk:")
                .contains("CORRECT: every balance equals the sequential result");
        assertThat(status).isZero();
    }

    @Test
    void job_withoutLocks_endsWithWrongBalances() throws IOException {
        int status = run(smallFile().toString(), "--no-locks");

        assertThat(text()).contains("WRONG: ").doesNotContain("CORRECT");
        assertThat(status).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    1,2,3,x         | line 2: amount "x" is not a whole number
                    1,2,3,1.5       | line 2: amount "1.5" is not a whole number
                    1,2,3           | line 2: there are 3 fields instead of 4
                    1,2,3,4,5       | line 2: there are 5 fields instead of 4
                    1,2,3,-4        | line 2: amount -4 is not from 1 to 1099511627775
                    1,2,3,0         | line 2: amount 0 is not from 1 to 1099511627775
                    1,2,2,9         | line 2: account 2 pays to itself
                    7,2,3,9;7,3,2,9 | line 3: the id 7 is there twice
                    1,2,3,9;;2,,3,9 | line 3: there are 1 fields instead of 4
                    """)
    void malformedRow_isReportedWithFileLineAndReason_andNothingIsApplied(String rows, String reason)
            throws IOException {
        Path file = Files.writeString(directory.resolve("bad.csv"), HEADER + rows.replace(';', '\n') + "\n");

        int status = run(file.toString());

        assertThat(text().strip()).isEqualTo(file + ", " + reason + ". Nothing was applied.");
        assertThat(status).isEqualTo(2);
    }

    @Test
    void wrongHeader_isReportedAtLineOne() {
        assertThatThrownBy(() -> TransferFile.read("t.csv", new StringReader("a,b,c,d\n1,2,3,4\n")))
                .hasMessage("t.csv, line 1: the header must be id,from_account,to_account,amount");
    }

    @Test
    void emptyFile_isReported() {
        assertThatThrownBy(() -> TransferFile.read("t.csv", new StringReader(HEADER)))
                .hasMessage("t.csv: there are no transfers in it");
    }

    @Test
    void missingFile_isReported() {
        assertThat(run(directory.resolve("none.csv").toString())).isEqualTo(2);
        assertThat(text()).contains("none.csv: cannot be read");
    }

    private Path smallFile() throws IOException {
        return Files.write(directory.resolve("small.csv"), shippedLines.subList(0, SMALL + 1));
    }

    private int run(String... args) {
        return new CommandLine(new Transfers(new PrintStream(output, true, StandardCharsets.UTF_8))).execute(args);
    }

    private String text() {
        return output.toString(StandardCharsets.UTF_8);
    }

    private static Reader shippedFile() {
        return new InputStreamReader(
                Objects.requireNonNull(Transfers.class.getResourceAsStream("transfers.csv")), StandardCharsets.UTF_8);
    }
}
