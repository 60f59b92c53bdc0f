package dev.pals.benchmarks.report;

/**
 * Something to say about a contender in a load: that it was left out, or has failed.
 *
 * @param failed whether it has failed
 */
public record Note(String load, String contender, String text, boolean failed) {}
