package dev.pals.benchmarks.report;

import dev.pals.benchmarks.contender.Contestant;

/**
 * Something to say about a contender in a load: that it was left out, or has failed.
 *
 * @param load or a cost, or the name of a whole part
 * @param contender its id; empty where it is not about one of them
 * @param failed whether it has failed
 */
public record Note(String load, String contender, String text, boolean failed) {
    private static final String NOBODY = "";

    /** That what was measured could not be, whoever had his turn. */
    public static Note failure(String part, Throwable cause) {
        return new Note(part, NOBODY, firstLine(cause), true);
    }

    /** That a contender has failed. */
    public static Note failure(String load, Contestant contestant, Throwable cause) {
        return new Note(load, contestant.id(), firstLine(cause), true);
    }

    private static String firstLine(Throwable cause) {
        return cause.toString().lines().findFirst().orElse("");
    }

    /** Of whom it is, for people. */
    public String who() {
        return contender.equals(NOBODY)
                ? "the rest of this part"
                : Contestant.of(contender).title();
    }
}
