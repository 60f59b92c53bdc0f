package dev.pals.benchmarks.report;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private final Map<String, String> settings = new LinkedHashMap<>();
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
        settings.put(name, value);
    }

    public Map<String, String> settings() {
        return Map.copyOf(settings);
    }

    List<Map.Entry<String, String>> settingsInOrder() {
        return List.copyOf(settings.entrySet());
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

    /** The ratios of two rates in the same rounds. */
    public Optional<Spread> ratio(String load, String contender, String otherLoad, String other) {
        Map<Integer, Double> rates = values(load, contender, Metric.RATE);
        Map<Integer, Double> others = values(otherLoad, other, Metric.RATE);
        List<Double> ratios = rates.entrySet().stream()
                .filter(each -> others.containsKey(each.getKey()))
                .map(each -> each.getValue() / others.getOrDefault(each.getKey(), 0.0))
                .toList();
        return ratios.isEmpty() ? Optional.empty() : Optional.of(Spread.of(ratios));
    }

    /** Writes them as CSV. */
    public void write(Path file) throws IOException {
        try (Writer writer = Files.newBufferedWriter(file);
                CSVPrinter csv = new CSVPrinter(
                        writer, FORMAT.builder().setSkipHeaderRecord(false).get())) {
            for (Map.Entry<String, String> setting : settings.entrySet()) {
                csv.printRecord(Kind.SETTING, setting.getKey(), "", "", "", setting.getValue());
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

    /** Adds what {@link #write} has written. */
    public void read(Path file) throws IOException {
        try (Reader reader = Files.newBufferedReader(file)) {
            for (CSVRecord row : FORMAT.parse(reader)) {
                switch (Kind.valueOf(row.get("kind"))) {
                    case SETTING -> setting(row.get("load"), row.get("value"));
                    case FIGURE ->
                        add(new Figure(
                                row.get("load"),
                                row.get("contender"),
                                Metric.valueOf(row.get("metric")),
                                Integer.parseInt(row.get("round")),
                                Double.parseDouble(row.get("value"))));
                    case NOTE -> add(new Note(row.get("load"), row.get("contender"), row.get("value"), false));
                    case FAILURE -> add(new Note(row.get("load"), row.get("contender"), row.get("value"), true));
                }
            }
        }
    }
}
