package dev.pals.proof;

import java.util.List;

/**
 * What the checker says of a history.
 *
 * @param sections how many there were, each key of one counted
 * @param excusedSections of these, how many were not judged by exclusion and by tokens
 * @param writes how many there were
 * @param excusedWrites of these, how many might have overwritten others
 */
record Verdict(List<Violation> violations, int sections, int excusedSections, int writes, int excusedWrites) {}
