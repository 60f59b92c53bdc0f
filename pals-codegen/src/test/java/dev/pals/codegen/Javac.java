package dev.pals.codegen;

import dev.pals.key.LockKey;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.annotation.processing.Processor;
import javax.tools.Diagnostic.Kind;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/**
 * The compiler of this JDK, with the lock processors, on real folders: sources in {@code src}, class files in
 * {@code classes}, generated sources in {@code generated}.
 */
final class Javac {
    private final Path module;
    private final List<String> options =
            new ArrayList<>(List.of("-Xlint:all", "-Xdoclint:all,-missing", "-Xpkginfo:always"));
    private final List<Path> classPath = new ArrayList<>();
    private List<Processor> processors = inTheOrderOfTheJar();

    private Javac(Path module) {
        this.module = module;
        classPath.add(locationOf(LockKey.class));
        classPath.add(locationOf(NullMarked.class));
    }

    /** Compiles into this folder, which is that of one module. */
    static Javac in(Path module) {
        return new Javac(module);
    }

    static Path locationOf(Class<?> type) {
        try {
            return Path.of(
                    type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Processor> inTheOrderOfTheJar() {
        return ServiceLoader.load(Processor.class, BaselineProcessor.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get)
                .filter(processor -> processor.getClass().getPackage() == BaselineProcessor.class.getPackage())
                .toList();
    }

    Javac with(Processor... these) {
        processors = List.of(these);
        return this;
    }

    Javac with(String... more) {
        options.addAll(Arrays.asList(more));
        return this;
    }

    /** The class files of another module, as a dependency. */
    Javac dependingOn(Path otherModule) {
        classPath.add(otherModule.resolve("classes"));
        return this;
    }

    /** One message of the compiler; the place is empty and the line -1 where it has none. */
    record Message(Kind kind, String file, long line, String at, String text) {
        @Override
        public String toString() {
            return file + ":" + line + ": " + kind + " " + text;
        }
    }

    record Result(boolean succeeded, List<Message> messages, Path module) {
        Result orFail() {
            if (!succeeded || messages.stream().anyMatch(m -> m.kind != Kind.NOTE)) {
                throw new AssertionError("the compiler said: " + messages);
            }
            return this;
        }

        /** Whatever the compiler noted or warned of. */
        Result succeeds() {
            if (!succeeded) {
                throw new AssertionError("the compiler said: " + messages);
            }
            return this;
        }

        List<String> errors() {
            return texts(Kind.ERROR);
        }

        List<String> texts(Kind kind) {
            return messages.stream()
                    .filter(m -> m.kind == kind)
                    .map(Message::text)
                    .toList();
        }

        /** Generated sources and resources by their path. */
        Map<String, String> generated() {
            Map<String, String> files = new TreeMap<>(contents(module.resolve("generated")));
            contents(module.resolve("classes")).forEach((name, text) -> {
                if (!name.endsWith(".class")) {
                    files.put(name, text);
                }
            });
            return files;
        }

        URLClassLoader load() {
            try {
                URL[] urls = {module.resolve("classes").toUri().toURL()};
                return new URLClassLoader(urls, Javac.class.getClassLoader());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        Object constant(String type, String name) throws ReflectiveOperationException {
            Class<?> keys = load().loadClass(type);
            var field = keys.getDeclaredField(name);
            field.setAccessible(true);
            return Objects.requireNonNull(field.get(null));
        }
    }

    static Map<String, String> contents(Path folder) {
        Map<String, String> files = new LinkedHashMap<>();
        if (Files.exists(folder)) {
            filesIn(folder).forEach(file -> {
                try {
                    String name = folder.relativize(file).toString().replace(File.separatorChar, '/');
                    files.put(name, Files.readString(file, StandardCharsets.ISO_8859_1));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        return files;
    }

    static List<Path> filesIn(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a source file; its package is read from the text. */
    Path write(String fileName, String text) {
        try {
            Path file = module.resolve("src").resolve(fileName);
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Result compile(String fileName, String text) {
        return compile(List.of(write(fileName, text)));
    }

    Result compile(Collection<Path> files) {
        return compile(files, List.of());
    }

    /**
     * Compiles files, and lets the processors see classes that are compiled already, as Gradle does for those that did
     * not change.
     */
    Result compile(Collection<Path> files, Collection<String> classNames) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        try (StandardJavaFileManager manager =
                compiler.getStandardFileManager(diagnostics, Locale.ROOT, StandardCharsets.UTF_8)) {
            Files.createDirectories(module.resolve("classes"));
            Files.createDirectories(module.resolve("generated"));
            List<String> all = new ArrayList<>(List.of(
                    "-d",
                    module.resolve("classes").toString(),
                    "-s",
                    module.resolve("generated").toString(),
                    "-cp",
                    classPath.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator))));
            all.addAll(options);
            JavaCompiler.CompilationTask task = compiler.getTask(
                    null, manager, diagnostics, all, classNames, manager.getJavaFileObjectsFromPaths(files));
            task.setLocale(Locale.ROOT);
            task.setProcessors(processors);
            boolean succeeded = task.call();
            return new Result(
                    succeeded,
                    diagnostics.getDiagnostics().stream().map(d -> message(d)).toList(),
                    module);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Message message(javax.tools.Diagnostic<? extends JavaFileObject> diagnostic) {
        @Nullable JavaFileObject source = diagnostic.getSource();
        String file =
                source == null ? "" : Path.of(source.getName()).getFileName().toString();
        return new Message(
                diagnostic.getKind(),
                file,
                diagnostic.getLineNumber(),
                source == null ? "" : marked(source, diagnostic),
                diagnostic.getMessage(Locale.ROOT));
    }

    private static String marked(JavaFileObject source, javax.tools.Diagnostic<?> diagnostic) {
        if (diagnostic.getStartPosition() < 0 || diagnostic.getEndPosition() < 0) {
            return "";
        }
        try {
            return source.getCharContent(true)
                    .subSequence((int) diagnostic.getStartPosition(), (int) diagnostic.getEndPosition())
                    .toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
