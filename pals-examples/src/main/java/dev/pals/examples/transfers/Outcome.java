package dev.pals.examples.transfers;

import static dev.pals.examples.jooq.transfers.Tables.ACCOUNT;
import static dev.pals.examples.jooq.transfers.Tables.APPLICATION;
import static org.jooq.impl.DSL.count;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jooq.DSLContext;

/** How the database differs from the same transfers applied one after another. */
record Outcome(int accounts, long wrongBalances, long lost, long doubled) {

    static Outcome of(DSLContext dsl, List<Transfer> transfers, long openingBalance) {
        Map<Long, Long> expected = sequentialBalances(transfers, openingBalance);
        Map<Long, Long> actual = dsl.selectFrom(ACCOUNT).fetchMap(ACCOUNT.ID, ACCOUNT.BALANCE);
        Map<Long, Integer> applications = dsl.select(APPLICATION.TRANSFER_ID, count())
                .from(APPLICATION)
                .groupBy(APPLICATION.TRANSFER_ID)
                .fetchMap(APPLICATION.TRANSFER_ID, count());
        return new Outcome(
                expected.size(),
                expected.entrySet().stream()
                        .filter(e -> !e.getValue().equals(actual.get(e.getKey())))
                        .count(),
                transfers.stream()
                        .filter(t -> !applications.containsKey(t.id()))
                        .count(),
                applications.values().stream().filter(n -> n > 1).count());
    }

    static Map<Long, Long> sequentialBalances(List<Transfer> transfers, long openingBalance) {
        Map<Long, Long> balances = new HashMap<>();
        for (Transfer transfer : transfers) {
            balances.merge(transfer.from(), openingBalance - transfer.amount(), (old, n) -> old - transfer.amount());
            balances.merge(transfer.to(), openingBalance + transfer.amount(), (old, n) -> old + transfer.amount());
        }
        return balances;
    }

    boolean isCorrect() {
        return wrongBalances == 0 && lost == 0 && doubled == 0;
    }

    @Override
    public String toString() {
        return "%,d of %,d balances wrong, %,d transfers lost, %,d doubled"
                .formatted(wrongBalances, accounts, lost, doubled);
    }
}
