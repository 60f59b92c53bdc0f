package dev.pals.diagnostics;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What {@link Doctor} has found. {@link #toString()} is the report for people; the findings are for programs. It holds
 * names of locks, roles and hosts, and no password. Immutable.
 *
 * @param findings in the order of the report
 * @param appendix the locks that are held and waited for, as aligned tables
 */
public record Diagnosis(List<Finding> findings, String appendix) {
    /** Makes one of a copy of the list. */
    public Diagnosis {
        findings = List.copyOf(findings);
    }

    /** How bad it is. */
    public enum Level {
        /** As it should be. */
        OK,
        /** Works, but may go wrong; the text says what to do. */
        WARNING,
        /** Locks cannot be trusted or not be had; the text says what to do. */
        ERROR
    }

    /**
     * One line of the report.
     *
     * @param subject what was looked at, such as {@code lock table}
     */
    public record Finding(Level level, String subject, String text) {}

    /** The worst of its findings. */
    public Level level() {
        return findings.stream().map(Finding::level).max(Level::compareTo).orElse(Level.OK);
    }

    @Override
    public String toString() {
        return findings.stream().map(Diagnosis::line).collect(Collectors.joining()) + appendix;
    }

    private static String line(Finding finding) {
        return String.format("%-7s  %-13s  %s%n", finding.level(), finding.subject(), finding.text());
    }
}
