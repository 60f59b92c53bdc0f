package dev.pals.proof;

import java.util.List;

/**
 * What the checker says of a history.
 *
 * @param sections how many there were, each key of one counted
 * @param excusedSections of these, how many were not judged by exclusion and by tokens
 * @param writes how many there were
 * @param excusedWrites of these, how many might have overwritten others
 * @param lossesDue how many sections had to be told of a loss: their session was gone, and they were told or went on
 *     for longer than they may without
 * @param lossesUncalledFor how many sections ended where no fault would have explained a loss
 */
record Verdict(
        List<Violation> violations,
        int sections,
        int excusedSections,
        int writes,
        int excusedWrites,
        int lossesDue,
        int lossesUncalledFor) {}
