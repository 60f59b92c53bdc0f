package dev.pals.examples.transfers;

import dev.pals.key.LockFamily;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** Reads a file of transfers as a whole, so that a bad row is found before anything is applied. */
final class TransferFile {
    // An empty line is an error too: skipped, it would put the numbers of the lines after it wrong.
    private static final CSVFormat FORMAT =
            CSVFormat.DEFAULT.builder().setIgnoreEmptyLines(false).get();
    private static final String[] HEADER = {"id", "from_account", "to_account", "amount"};

    private final String name;
    private final Set<Long> ids = new HashSet<>();

    private TransferFile(String name) {
        this.name = name;
    }

    /**
     * Reads all transfers.
     *
     * @param name for messages
     * @throws InvalidTransferException at the first row that is no transfer
     */
    static List<Transfer> read(String name, Reader reader) throws IOException {
        return new TransferFile(name).read(reader);
    }

    private List<Transfer> read(Reader reader) throws IOException {
        List<Transfer> transfers = new ArrayList<>();
        try (CSVParser rows = FORMAT.parse(reader)) {
            boolean header = true;
            long line = 1;
            for (CSVRecord row : rows) {
                if (header) {
                    check(
                            line,
                            List.of(row.values()).equals(List.of(HEADER)),
                            "the header must be " + String.join(",", HEADER));
                } else {
                    transfers.add(transfer(line, row));
                }
                header = false;
                line = rows.getCurrentLineNumber() + 1;
            }
        } catch (UncheckedIOException e) {
            throw new InvalidTransferException(name + ": not CSV: " + e.getMessage());
        }
        if (transfers.isEmpty()) {
            throw new InvalidTransferException(name + ": there are no transfers in it");
        }
        return transfers;
    }

    private Transfer transfer(long line, CSVRecord row) {
        check(line, row.size() == HEADER.length, "there are " + row.size() + " fields instead of " + HEADER.length);
        long[] numbers = new long[HEADER.length];
        for (int i = 0; i < HEADER.length; i++) {
            numbers[i] = positive(line, HEADER[i], row.get(i));
        }
        Transfer transfer = new Transfer(numbers[0], numbers[1], numbers[2], numbers[3]);
        check(line, ids.add(transfer.id()), "the id " + transfer.id() + " is there twice");
        check(line, transfer.from() != transfer.to(), "account " + transfer.from() + " pays to itself");
        return transfer;
    }

    private long positive(long line, String field, String text) {
        try {
            long number = Long.parseLong(text);
            check(
                    line,
                    number > 0 && number < LockFamily.ID_LIMIT,
                    field + " " + number + " is not from 1 to " + (LockFamily.ID_LIMIT - 1));
            return number;
        } catch (NumberFormatException e) {
            throw new InvalidTransferException(
                    name + ", line " + line + ": " + field + " \"" + text + "\" is not a whole number");
        }
    }

    private void check(long line, boolean condition, String reason) {
        if (!condition) {
            throw new InvalidTransferException(name + ", line " + line + ": " + reason);
        }
    }
}
