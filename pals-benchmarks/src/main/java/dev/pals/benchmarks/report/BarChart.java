package dev.pals.benchmarks.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Horizontal bars with their spread, as SVG. */
final class BarChart {
    private static final int WIDTH = 860;
    private static final int LABELS = 330;
    private static final int BARS = 360;
    private static final int ROW = 20;
    private static final int BAR = 12;
    private static final int HEADING = 30;

    private final List<Panel> panels = new ArrayList<>();

    /**
     * One group of bars with a scale of its own.
     *
     * @param unit what a length of 1 is
     */
    record Panel(String title, String unit, List<Row> rows) {}

    /** One bar; those of the library itself are emphasized. */
    record Row(String label, Spread value, boolean emphasized) {}

    BarChart panel(Panel panel) {
        panels.add(panel);
        return this;
    }

    String svg() {
        int height = panels.stream()
                .mapToInt(panel -> HEADING + ROW * panel.rows().size())
                .sum();
        StringBuilder svg = new StringBuilder();
        append(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                        + " font-family=\"sans-serif\" font-size=\"12\">%n",
                WIDTH,
                height + ROW,
                WIDTH,
                height + ROW);
        append(svg, "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>%n", WIDTH, height + ROW);
        int y = 0;
        for (Panel panel : panels) {
            append(svg, "<text x=\"8\" y=\"%d\" font-weight=\"bold\">%s</text>%n", y + 20, escaped(panel.title()));
            append(
                    svg,
                    "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#666\">%s</text>%n",
                    WIDTH - 8,
                    y + 20,
                    escaped(panel.unit()));
            y += HEADING;
            double longest = panel.rows().stream()
                    .mapToDouble(row -> row.value().most())
                    .max()
                    .orElse(1);
            for (Row row : panel.rows()) {
                appendRow(svg, row, y, BARS / longest);
                y += ROW;
            }
        }
        return svg.append("</svg>\n").toString();
    }

    private static void appendRow(StringBuilder svg, Row row, int y, double scale) {
        int middle = y + BAR / 2;
        append(
                svg,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>%n",
                LABELS - 8,
                y + BAR - 2,
                escaped(row.label()));
        append(
                svg,
                "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
                LABELS,
                y,
                row.value().median() * scale,
                BAR,
                row.emphasized() ? "#2b6cb0" : "#b8c4d0");
        append(
                svg,
                "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"black\"/>%n",
                LABELS + row.value().least() * scale,
                middle,
                LABELS + row.value().most() * scale,
                middle);
        append(
                svg,
                "<text x=\"%.1f\" y=\"%d\">%s</text>%n",
                LABELS + row.value().most() * scale + 6,
                y + BAR - 2,
                escaped(row.value().withRange()));
    }

    private static void append(StringBuilder svg, String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format.replace("%n", "\n"), arguments));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
