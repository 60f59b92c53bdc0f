package dev.pals.benchmarks.report;

import dev.pals.benchmarks.contender.Contestant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A document that grows. */
final class Markdown {
    static final String NOTHING = "–";
    static final String FAILED = "failed";

    private final StringBuilder text = new StringBuilder();

    Markdown say(String some) {
        text.append(some);
        return this;
    }

    void head(List<String> cells) {
        row(cells);
        text.append("|---".repeat(cells.size())).append("|\n");
    }

    void row(List<String> cells) {
        cells.forEach(cell -> text.append("| ").append(cell.replace("|", "\\|")).append(' '));
        text.append("|\n");
    }

    static String withRange(Optional<Spread> spread) {
        return spread.map(Spread::withRange).orElse(NOTHING);
    }

    /** Says who was not measured under a load, and why. */
    void leftOut(String load, List<Note> notes) {
        Map<String, String> byReason = new LinkedHashMap<>();
        notes.stream()
                .filter(note -> note.load().equals(load) && !note.failed())
                .forEach(note -> byReason.merge(
                        note.text(), Contestant.of(note.contender()).title(), (some, more) -> some + "; " + more));
        byReason.forEach((reason, who) -> say("Not measured: " + who + " (" + reason + ").\n\n"));
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
