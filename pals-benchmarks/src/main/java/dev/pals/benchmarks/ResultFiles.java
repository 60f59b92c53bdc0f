package dev.pals.benchmarks;

import dev.pals.benchmarks.report.Results;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Keeps results in a directory, a CSV file for each part, so that documents can be written without measuring again. */
record ResultFiles(Path directory) {
    private static final String CSV = ".csv";

    void write(String part, Results results) throws IOException {
        Files.createDirectories(directory);
        results.write(directory.resolve(part + CSV));
    }

    /** All that is there. */
    Results readAll() throws IOException {
        Results all = new Results();
        for (Path file : files()) {
            all.add(Results.read(file));
        }
        return all;
    }

    /** Forgets what is there. */
    void clear() throws IOException {
        for (Path file : files()) {
            Files.delete(file);
        }
    }

    private List<Path> files() throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(CSV)).sorted().toList();
        }
    }
}
