package dev.pals.examples.transfers;

import static dev.pals.examples.jooq.transfers.Tables.ACCOUNT;
import static dev.pals.examples.jooq.transfers.Tables.APPLICATION;
import static dev.pals.examples.jooq.transfers.Tables.TRANSFER;

import com.zaxxer.hikari.HikariDataSource;
import dev.pals.db.server.PostgresServer;
import dev.pals.db.server.ScratchDatabase;
import dev.pals.examples.ExampleDatabase;
import dev.pals.examples.Workforce;
import dev.pals.lock.LockException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command of the main job. */
@Command(
        name = "transfers",
        mixinStandardHelpOptions = true,
        description =
                "Applies transfers between accounts in several processes, kept correct by locks alone; kills one process"
                        + " on the way, and checks every balance at the end.",
        exitCodeListHeading = "Exit status:%n",
        exitCodeList = {
            "0:every balance is right",
            "1:balances are wrong, or a worker failed",
            "2:bad arguments or a malformed file"
        })
public final class Transfers implements Callable<Integer> {
    private static final String SHIPPED_FILE = "transfers.csv";
    private static final long OPENING_BALANCE = 1_000_000;
    private static final int WRONG = 1;
    private static final int BAD_INPUT = 2;

    private final PrintStream out;

    @Parameters(
            arity = "0..1",
            paramLabel = "FILE",
            description = "CSV with the header id,from_account,to_account,amount; the shipped one by default.")
    private @Nullable Path file;

    @Option(names = "--workers", description = "How many processes: 2 to 16, 4 by default.")
    private int workers = 4;

    @Option(names = Worker.NO_LOCKS, description = "The negative control: nothing is locked and nobody is killed.")
    private boolean noLocks;

    Transfers(PrintStream out) {
        this.out = out;
    }

    /** Runs the job and exits with its status. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Transfers(System.out)).execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (workers < 2 || workers > 16) {
            out.println("--workers " + workers + ": give a number from 2 to 16.");
            return BAD_INPUT;
        }
        List<Transfer> transfers;
        try {
            transfers = read();
        } catch (InvalidTransferException e) {
            out.println(e.getMessage() + ". Nothing was applied.");
            return BAD_INPUT;
        }
        out.printf("%,d transfers read%n", transfers.size());
        try (PostgresServer server = PostgresServer.start();
                ScratchDatabase database = server.newDatabase();
                HikariDataSource dataSource = ExampleDatabase.pool(database.url(), 3)) {
            ExampleDatabase.migrate(dataSource, "transfers");
            DSLContext dsl = DSL.using(dataSource, SQLDialect.POSTGRES);
            load(dsl, transfers);
            boolean orderly;
            try (Workforce workforce = new Workforce(
                    Worker.class, database.url(), workers, noLocks ? List.of(Worker.NO_LOCKS) : List.of())) {
                orderly = new Run(dsl, workforce, transfers.size(), out).watch(!noLocks);
            }
            return judge(Outcome.of(dsl, transfers, OPENING_BALANCE), orderly);
        } catch (LockException e) {
            out.println(e.getMessage());
            return WRONG;
        }
    }

    private List<Transfer> read() throws IOException {
        if (file != null) {
            if (!Files.isReadable(file)) {
                throw new InvalidTransferException(file + ": cannot be read");
            }
            try (Reader reader = Files.newBufferedReader(file)) {
                return TransferFile.read(file.toString(), reader);
            }
        }
        try (Reader reader = new InputStreamReader(
                Objects.requireNonNull(Transfers.class.getResourceAsStream(SHIPPED_FILE), SHIPPED_FILE),
                StandardCharsets.UTF_8)) {
            return TransferFile.read(SHIPPED_FILE, reader);
        }
    }

    private static void load(DSLContext dsl, List<Transfer> transfers) throws IOException {
        dsl.batch(Outcome.sequentialBalances(transfers, OPENING_BALANCE).keySet().stream()
                        .map(id -> dsl.insertInto(ACCOUNT, ACCOUNT.ID, ACCOUNT.BALANCE)
                                .values(id, OPENING_BALANCE))
                        .toList())
                .execute();
        dsl.loadInto(TRANSFER)
                .bulkAfter(500)
                .loadArrays(transfers.stream().map(t -> new Object[] {t.id(), t.chunk(), t.from(), t.to(), t.amount()}))
                .fields(TRANSFER.ID, TRANSFER.CHUNK, TRANSFER.FROM_ACCOUNT, TRANSFER.TO_ACCOUNT, TRANSFER.AMOUNT)
                .execute();
        dsl.execute("analyze {0}", APPLICATION);
    }

    private int judge(Outcome outcome, boolean orderly) {
        if (outcome.isCorrect() && orderly) {
            out.println("CORRECT: every balance equals the sequential result (" + outcome + ").");
            return 0;
        }
        out.println("WRONG: " + outcome + (orderly ? "" : "; a worker failed")
                + (noLocks ? ". So much for no locks." : "."));
        return WRONG;
    }
}
