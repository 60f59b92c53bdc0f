package dev.pals.codegen;

import dev.pals.codegen.LockEnum.Lock;
import dev.pals.key.LockKey;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The committed file of a module's lock keys: a line for each, sorted, with tabs between the columns. Names are escaped
 * as in Java's string literals.
 */
record Baseline(List<Entry> entries) {
    private static final String HEADER = """
            # The lock keys of this module, written by pals-codegen. A renamed lock is another lock: see docs/errors.md.
            # app\tname\tkind\tlock hash\tdeclared by
            """;

    /**
     * One key.
     *
     * @param kind plain, numeric or hashed
     */
    record Entry(String app, String name, String kind, String lockHash, String place) {
        static Entry of(Lock lock, LockKey key) {
            return new Entry(
                    // A line that begins with # is a comment.
                    Escaped.literal(key.app().orElseThrow()).replaceFirst("^#", "\\\\043"),
                    Escaped.literal(key.name()),
                    lock.by().keySpace(),
                    Long.toString(key.lockHash()),
                    Escaped.identifier(lock.place()));
        }

        /** How messages call it. */
        String fullName() {
            return app + "." + name;
        }

        /** As the compiler knows it. */
        String enumName() {
            return Escaped.identifierRead(place.replaceFirst("\\.[^.]*$", ""));
        }

        boolean isOfSameKey(Entry other) {
            return lockHash.equals(other.lockHash) && kind.equals(other.kind);
        }

        private String line() {
            return String.join("\t", app, name, kind, lockHash, place) + "\n";
        }
    }

    /** The file's content cannot be used; the message says why. */
    static final class UnreadableException extends Exception {
        private static final long serialVersionUID = 1L;

        UnreadableException(String message) {
            super(message);
        }
    }

    /** The keys of these enums, those of former names among them. */
    static Baseline of(Collection<LockEnum> enums) {
        Map<String, Entry> sorted = new TreeMap<>();
        for (LockEnum lockEnum : enums) {
            for (Lock lock : lockEnum.locks()) {
                lock.keys().map(key -> Entry.of(lock, key)).forEach(entry -> sorted.put(entry.line(), entry));
            }
        }
        return new Baseline(List.copyOf(sorted.values()));
    }

    static Baseline read(Path file) throws UnreadableException {
        try {
            List<Entry> entries = new ArrayList<>();
            int number = 0;
            for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                number++;
                if (!line.startsWith("#") && !line.isBlank()) {
                    entries.add(parsed(line, number));
                }
            }
            return new Baseline(entries);
        } catch (NoSuchFileException e) {
            throw new UnreadableException("it does not exist");
        } catch (CharacterCodingException e) {
            throw new UnreadableException("it is not in UTF-8");
        } catch (IOException e) {
            throw new UnreadableException(e.toString());
        }
    }

    private static Entry parsed(String line, int number) throws UnreadableException {
        String[] columns = line.split("\t", -1);
        if (columns.length != 5 || !columns[3].matches("-?\\d{1,19}")) {
            throw new UnreadableException(
                    "line " + number + " does not have the five columns app, name, kind, lock hash and place");
        }
        return new Entry(columns[0], columns[1], columns[2], columns[3], columns[4]);
    }

    /** Replaces the file as a whole, or leaves it as it is. */
    void write(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        Path written = Files.createTempFile(folder == null ? Path.of("") : folder, "pals-locks", ".tmp");
        try {
            Files.writeString(
                    written,
                    HEADER + entries.stream().map(Entry::line).collect(Collectors.joining()),
                    StandardCharsets.UTF_8);
            Files.move(written, file, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(written);
        }
    }
}
