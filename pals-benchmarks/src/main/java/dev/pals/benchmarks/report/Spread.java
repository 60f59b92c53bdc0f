package dev.pals.benchmarks.report;

import java.util.Collection;
import java.util.Locale;

/** The median of some values, the least and the greatest. */
public record Spread(double median, double least, double most) {
    /** Of at least one value. */
    public static Spread of(Collection<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        if (sorted.length == 0) {
            throw new IllegalArgumentException("no values");
        }
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[sorted.length - 1]);
    }

    /** With the range, as in "5.02 (4.40–5.31)", if there is one. */
    public String withRange() {
        if (least == most) {
            return number(median);
        }
        return String.format(Locale.ROOT, "%s (%s–%s)", number(median), number(least), number(most));
    }

    /** With as many digits as mean something. */
    public static String number(double value) {
        if (Math.abs(value) >= 100) {
            return String.format(Locale.ROOT, "%,.0f", value);
        }
        return String.format(Locale.ROOT, Math.abs(value) >= 10 ? "%.1f" : "%.2f", value);
    }
}
