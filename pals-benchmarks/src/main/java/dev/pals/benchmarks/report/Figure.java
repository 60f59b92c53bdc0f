package dev.pals.benchmarks.report;

/**
 * One number that was measured.
 *
 * @param load name of the load or of the cost
 * @param contender its id
 * @param round from 1 on; figures of one load and one round belong to the same minutes
 */
public record Figure(String load, String contender, Metric metric, int round, double value) {}
