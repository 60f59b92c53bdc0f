package dev.pals.proof;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A class of the engine with one place changed.
 *
 * @param className from {@code dev.pals} on, with slashes
 * @param original what is there, and only once
 * @param change what is to be there instead
 */
record ChangedSource(String className, String original, String change) {
    private static final Path SOURCES = Path.of("src", "main", "java", "dev", "pals");

    /** Compiles it; the directory is to stand on the class path before everything else. */
    void compileTo(Path directory) throws IOException {
        Path file = SOURCES.resolve(className + ".java");
        String source = Files.readString(file);
        int at = source.indexOf(original);
        if (at < 0 || source.indexOf(original, at + 1) >= 0) {
            throw new IllegalStateException(file + " must have this once: " + original);
        }
        Path changed = Files.createDirectories(directory.resolve("source")).resolve(file.getFileName());
        Files.writeString(changed, source.replace(original, change));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            List<String> options = new ArrayList<>(List.of("-proc:none", "-nowarn", "-d", directory.toString()));
            options.addAll(List.of("-cp", System.getProperty("java.class.path")));
            if (!compiler.getTask(null, files, null, options, null, files.getJavaFileObjects(changed))
                    .call()) {
                throw new IllegalStateException(file + " does not compile with this: " + change);
            }
        }
    }
}
