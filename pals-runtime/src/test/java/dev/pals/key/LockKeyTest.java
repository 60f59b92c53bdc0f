package dev.pals.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class LockKeyTest {
    /** Beside the checkout, where PALs for other languages find the same file; a plain clone does not have it. */
    private static final Path SHARED = Path.of(System.getProperty("basedir", ""))
            .toAbsolutePath()
            .resolve("../../shared/data/pals-key-vectors.tsv")
            .normalize();

    record Vector(String app, String name, long appHash, long lockHash) {
        static Vector parse(String line) {
            String[] fields = line.split("\t", -1);
            return new Vector(
                    fields[0],
                    fields[1],
                    fields[2].isEmpty() ? 0 : Long.parseLong(fields[2]),
                    Long.parseLong(fields[3]));
        }
    }

    static Stream<Vector> vectors() {
        return copy().lines().skip(1).map(Vector::parse);
    }

    private static String copy() {
        try (InputStream in = LockKeyTest.class.getResourceAsStream("pals-key-vectors.tsv")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void vectors_copyInTheTests_isTheSharedFile() throws IOException {
        assumeThat(SHARED).as("the shared file beside the checkout").exists();
        assertThat(copy()).isEqualTo(Files.readString(SHARED));
    }

    @Test
    void vectors_copyInTheTests_hasEveryKindOfRow() {
        assertThat(vectors())
                .hasSizeGreaterThanOrEqualTo(8)
                .anyMatch(vector -> vector.app().isEmpty())
                .anyMatch(vector -> vector.name().isEmpty());
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void hash_everyVector_matches(Vector vector) {
        if (vector.name().isEmpty()) {
            assertThat(LockHash.of(vector.app())).isEqualTo(vector.appHash());
            assertThat(LockHash.of(vector.app() + ".")).isEqualTo(vector.lockHash());
            return;
        }
        LockKey key = vector.app().isEmpty() ? LockKey.of(vector.name()) : LockKey.of(vector.app(), vector.name());
        assertThat(key.appHash()).isEqualTo(vector.appHash());
        assertThat(key.lockHash()).isEqualTo(vector.lockHash());
        assertThat(key.name()).isEqualTo(vector.name());
        assertThat(key.app().orElse("")).isEqualTo(vector.app());
    }

    @Test
    void equality_sameLockHash_isTheSameLock() {
        LockKey one = LockKey.of("a.b", "c");
        LockKey other = LockKey.of("a", "b.c");
        assertThat(one).isEqualTo(other).hasSameHashCodeAs(other).isEqualByComparingTo(other);
        assertThat(one.appHash()).isNotEqualTo(other.appHash());
        assertThat(one).isNotEqualTo(LockKey.of("a.b", "d")).isNotEqualTo("a.b.c");
    }

    @Test
    void order_keys_isThatOfTheSignedLockHash() {
        List<LockKey> sorted = Stream.of("a", "b", "c", "d", "e", "f", "g", "h")
                .map(LockKey::of)
                .sorted()
                .toList();
        assertThat(sorted.stream().map(LockKey::lockHash)).isSorted();
        assertThat(sorted.get(0).lockHash()).isNegative();
        assertThat(sorted.get(7).lockHash()).isPositive();
    }

    @Test
    void precomputed_numbers_areTakenAsTheyAre() {
        LockKey computed = LockKey.of("billing", "invoice-run");
        LockKey precomputed = new GeneratedLocks("billing", computed.appHash())
                .key("INVOICE_RUN", "invoice-run", computed.lockHash());
        assertThat(precomputed).isEqualTo(computed).hasToString("billing.invoice-run");
    }

    @Test
    void name_whiteSpaceAround_isKept() {
        assertThat(LockKey.of("app", " lock ").name()).isEqualTo(" lock ");
        assertThat(Stream.of("lock", " lock", "lock ", "lock\n").map(name -> LockKey.of("app", name)))
                .doesNotHaveDuplicates();
    }

    @Test
    void name_normalForms_areDifferentLocks() {
        String composed = Normalizer.normalize("zażółć", Normalizer.Form.NFC);
        String decomposed = Normalizer.normalize("zażółć", Normalizer.Form.NFD);
        assertThat(composed).isNotEqualTo(decomposed);
        assertThat(LockKey.of("app", composed)).isNotEqualTo(LockKey.of("app", decomposed));
    }

    @Test
    void name_ofTenThousandCharacters_isHashedWhole() {
        String longName = "x".repeat(10_000);
        assertThat(LockKey.of("app", longName).name()).hasSize(10_000);
        assertThat(LockKey.of("app", longName)).isNotEqualTo(LockKey.of("app", longName + "x"));
        assertThat(LockKey.of(longName, "lock")).isNotEqualTo(LockKey.of(longName + "x", "lock"));
    }

    @Test
    void name_outsideOfTheBasicPlane_isHashed() {
        assertThat(LockKey.of("app", "\uD83D\uDD12")).isNotEqualTo(LockKey.of("app", "\uD83D\uDD13"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "a\0b", "\uD800"})
    void name_unusable_isRefusedAndShown(String bad) {
        assertThatThrownBy(() -> LockKey.of(bad)).isInstanceOf(InvalidLockNameException.class);
        assertThatThrownBy(() -> LockKey.of(bad, "lock")).isInstanceOf(InvalidLockNameException.class);
        assertThatThrownBy(() -> LockKey.of("app", bad)).isInstanceOf(InvalidLockNameException.class);
    }

    @Test
    void name_withNul_messageShowsItVisibly() {
        assertThatThrownBy(() -> LockKey.of("app", "a\0b"))
                .hasMessageContaining("\"a\\u0000b\"")
                .hasMessageContaining("NUL");
    }
}
