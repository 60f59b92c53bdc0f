package dev.pals.benchmarks.report;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import org.apache.commons.csv.CSVRecord;

/** All that a run has found out. Not thread-safe. */
public final class Results {
    private static final CSVFormat FORMAT = CSVFormat.DEFAULT
            .builder()
            .setHeader("kind", "load", "contender", "metric", "round", "value")
            .setSkipHeaderRecord(true)
            .setRecordSeparator('\n')
            .get();

    /** Their values are several where results of several runs are together. */
    private final Map<String, Set<String>> settings = new LinkedHashMap<>();

    private final List<Figure> figures = new ArrayList<>();
    private final List<Note> notes = new ArrayList<>();

    private enum Kind {
        SETTING,
        FIGURE,
        NOTE,
        FAILURE
    }

    public void add(Figure figure) {
        figures.add(figure);
    }

    public void add(Note note) {
        notes.add(note);
    }

    /** Says under what circumstances it was measured. */
    public void setting(String name, String value) {
        settings.computeIfAbsent(name, ignored -> new LinkedHashSet<>()).add(value);
    }

    /** The circumstances by name. */
    public Map<String, Set<String>> settings() {
        return Collections.unmodifiableMap(settings);
    }

    /** Adds all that others have. */
    public void add(Results others) {
        others.settings.forEach((name, values) -> values.forEach(value -> setting(name, value)));
        figures.addAll(others.figures);
        notes.addAll(others.notes);
    }

    public List<Figure> figures() {
        return List.copyOf(figures);
    }

    public List<Note> notes() {
        return List.copyOf(notes);
    }

    /** The values by round. */
    public Map<Integer, Double> values(String load, String contender, Metric metric) {
        Map<Integer, Double> values = new TreeMap<>();
        for (Figure figure : figures) {
            if (figure.metric() == metric
                    && figure.load().equals(load)
                    && figure.contender().equals(contender)) {
                values.put(figure.round(), figure.value());
            }
        }
        return values;
    }

    public Optional<Spread> spread(String load, String contender, Metric metric) {
        Map<Integer, Double> values = values(load, contender, metric);
        return values.isEmpty() ? Optional.empty() : Optional.of(Spread.of(values.values()));
    }

    /** The ratios of two rates in the same rounds, without those in which the other one stood still. */
    public Optional<Spread> ratio(String load, String contender, String otherLoad, String other) {
        Map<Integer, Double> rates = values(load, contender, Metric.RATE);
        Map<Integer, Double> others = values(otherLoad, other, Metric.RATE);
        List<Double> ratios = rates.entrySet().stream()
                .filter(each -> others.getOrDefault(each.getKey(), 0.0) > 0)
                .map(each -> each.getValue() / others.getOrDefault(each.getKey(), 0.0))
                .toList();
        return ratios.isEmpty() ? Optional.empty() : Optional.of(Spread.of(ratios));
    }

    /** Writes them as CSV. */
    public void write(Path file) throws IOException {
        try (Writer writer = Files.newBufferedWriter(file);
                CSVPrinter csv = new CSVPrinter(
                        writer, FORMAT.builder().setSkipHeaderRecord(false).get())) {
            for (Map.Entry<String, Set<String>> setting : settings.entrySet()) {
                for (String value : setting.getValue()) {
                    csv.printRecord(Kind.SETTING, setting.getKey(), "", "", "", value);
                }
            }
            for (Figure each : figures) {
                csv.printRecord(Kind.FIGURE, each.load(), each.contender(), each.metric(), each.round(), each.value());
            }
            for (Note each : notes) {
                csv.printRecord(
                        each.failed() ? Kind.FAILURE : Kind.NOTE, each.load(), each.contender(), "", "", each.text());
            }
        }
    }

    /** What {@link #write} has written. */
    public static Results read(Path file) throws IOException {
        Results results = new Results();
        try (Reader reader = Files.newBufferedReader(file)) {
            for (CSVRecord row : FORMAT.parse(reader)) {
                switch (Kind.valueOf(row.get("kind"))) {
                    case SETTING -> results.setting(row.get("load"), row.get("value"));
                    case FIGURE ->
                        results.add(new Figure(
                                row.get("load"),
                                row.get("contender"),
                                Metric.valueOf(row.get("metric")),
                                Integer.parseInt(row.get("round")),
                                Double.parseDouble(row.get("value"))));
                    case NOTE -> results.add(new Note(row.get("load"), row.get("contender"), row.get("value"), false));
                    case FAILURE ->
                        results.add(new Note(row.get("load"), row.get("contender"), row.get("value"), true));
                }
            }
        }
        return results;
    }
}
