package dev.pals.codegen;

import dev.pals.codegen.Diagnostic.Problem;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.annotation.processing.Filer;
import javax.annotation.processing.ProcessingEnvironment;
import javax.lang.model.element.Element;
import javax.lang.model.element.ModuleElement;
import javax.lang.model.util.Elements;
import javax.tools.FileObject;
import javax.tools.StandardLocation;

/** Hands the generated files to the compiler: the keys, the entry in the index, and the list of catalogs. */
final class GeneratedFiles {
    private static final String SERVICE = "META-INF/services/dev.pals.key.LockCatalog";

    private final Filer filer;
    private final Elements elements;
    private final List<Problem> problems = new ArrayList<>();

    GeneratedFiles(ProcessingEnvironment env) {
        this.filer = env.getFiler();
        this.elements = env.getElementUtils();
    }

    /** What could not be written. */
    List<Problem> problems() {
        return problems;
    }

    void writeKeysOf(LockEnum lockEnum) {
        write(
                "The lock keys of " + lockEnum.type(),
                lockEnum.type(),
                () -> filer.createSourceFile(lockEnum.qualifiedGeneratedName(), lockEnum.type()),
                new KeysWriter(elements, lockEnum).source());
    }

    /** Lets other modules find these enums. Two named modules must not share a package, so they have no index. */
    void writeIndexEntryOf(Collection<LockEnum> enums) {
        List<LockEnum> indexed = enums.stream()
                .filter(lockEnum -> Optional.ofNullable(elements.getModuleOf(lockEnum.type()))
                        .map(ModuleElement::isUnnamed)
                        .orElse(true))
                .toList();
        if (!indexed.isEmpty()) {
            Element[] origins = origins(indexed);
            String name = CatalogIndex.PACKAGE + "." + CatalogIndex.entryName(indexed);
            write(
                    "The index entry " + name,
                    origins[0],
                    () -> filer.createSourceFile(name, origins),
                    CatalogIndex.entry(indexed));
        }
    }

    private static Element[] origins(Collection<LockEnum> enums) {
        return enums.stream().map(LockEnum::type).toArray(Element[]::new);
    }

    void writeServices(Collection<LockEnum> enums) {
        Element[] origins = origins(enums);
        write(
                "The list of lock catalogs",
                origins[0],
                () -> filer.createResource(StandardLocation.CLASS_OUTPUT, "", SERVICE, origins),
                enums.stream()
                        .map(e -> e.qualifiedGeneratedName() + "$Catalog\n")
                        .sorted()
                        .collect(Collectors.joining()));
    }

    private void write(String what, Element place, Creation creation, String content) {
        try (Writer writer = creation.create().openWriter()) {
            writer.write(content);
        } catch (IOException e) {
            problems.add(Diagnostic.NOT_WRITTEN.at(place, what, String.valueOf(e.getMessage())));
        }
    }

    /** Asks the compiler for a file. */
    private interface Creation {
        FileObject create() throws IOException;
    }
}
