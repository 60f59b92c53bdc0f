package dev.pals.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.codegen.Javac.Result;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The checks with hashes that cannot be had cheaply, and with near-hashes found by search. */
final class CollisionCheckTest {
    private static final String TWO_LOCKS = """
            import dev.pals.key.*;
            @LockApp("billing") enum E {
                @LockName("one") ONE,
                @LockName(%s) OTHER
            }
            """;

    @TempDir
    Path temp;

    private Result compiled(String source, ToLongFunction<LockKey> hash) {
        return Javac.in(temp).with(new LockNameProcessor(hash)).compile("E.java", source);
    }

    @Test
    void hashes_equalOfDifferentNames_collide() {
        assertThat(compiled(TWO_LOCKS.formatted("\"other\""), key -> Long.MIN_VALUE)
                        .errors())
                .singleElement()
                .asString()
                .startsWith(
                        "[PalsCollidingHash] \"billing.other\" (E.OTHER) has the same 64-bit key as \"billing.one\" (E.ONE)");
    }

    @Test
    void hashes_differingInOneBit_doNotCollide() {
        compiled(TWO_LOCKS.formatted("\"other\""), key -> key.name().equals("one") ? 1L << 50 : (1L << 50) + 1)
                .orFail();
    }

    @Test
    void formerName_hashOfAnotherName_collides() {
        assertThat(compiled(
                                TWO_LOCKS.formatted("value = \"other\", formerly = \"before\""),
                                key -> key.name().equals("other") ? 1L << 50 : 1L << 51)
                        .errors())
                .singleElement()
                .asString()
                .startsWith(
                        "[PalsCollidingHash] \"billing.before\" (E.OTHER) has the same 64-bit key as \"billing.one\" (E.ONE)");
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                77_431_708_279_161L, // Flyway, with a hash code of 0
                2_053_462_845L * 0x12345678L, // Rails
                0x3d32ad9eL * 0x12345678L, // sqlx
                72_707_369L, // Prisma
                5_887_940_537_704_921_958L, // goose
                4_097_083_626L, // goose
                7_241_865_325_823_964L, // node-pg-migrate
                0xFFFF_FFFFL, // golang-migrate
                -1L, // django-pglocks
            })
    void hash_thatAnotherToolTakes_isAnErrorThatNamesIt(long foreign) {
        Result result = compiled(
                TWO_LOCKS.formatted("\"other\""), key -> key.name().equals("one") ? foreign : 1L << 62 | 1L << 50);

        assertThat(result.errors())
                .singleElement()
                .asString()
                .startsWith("[PalsForeignKey] \"billing.one\" (E.ONE) has, or could reach, a key that ")
                .contains("takes on PostgreSQL");
    }

    @ParameterizedTest
    @ValueSource(longs = {2_053_462_845L * 0x12345678L + 1, 77_433_855_762_809L, 0x1_0000_0000L, -0x8000_0001L})
    void hash_besideThoseOfOtherTools_isFine(long near) {
        compiled(TWO_LOCKS.formatted("\"other\""), key -> key.name().equals("one") ? near : 1L << 62 | 1L << 50)
                .orFail();
    }

    @Test
    void family_thatReachesAnothersKey_isAnError() {
        Result result = compiled(
                TWO_LOCKS.formatted("value = \"other\", by = Integer.class"),
                key -> key.name().equals("one") ? 1L << 50 : ~(77_431_708_279_161L + (1L << 35)));

        assertThat(result.errors())
                .singleElement()
                .asString()
                .startsWith("[PalsForeignKey] \"billing.other\"")
                .contains("Flyway");
    }

    @Test
    void familyReach_nearHashesFoundBySearch_areErrorsWhereIdsMeet() {
        Map<Long, String> seen = new HashMap<>();
        String[] pair = IntStream.range(0, 100_000)
                .mapToObj(i -> "f" + i)
                .map(name -> new String[] {
                    seen.putIfAbsent(
                            CollisionCheck.block(LockKey.of("search", name).lockHash()), name),
                    name
                })
                .filter(names -> names[0] != null)
                .findFirst()
                .orElseThrow();
        LockFamily<Long> first = LockFamily.byLong("search", pair[0]);
        LockFamily<Long> second = LockFamily.byLong("search", pair[1]);

        long id = first.familyHash() ^ second.familyHash();

        assertThat(first.of(id))
                .as("two locks of " + String.join(" and ", pair))
                .isEqualTo(second.of(0L));
        assertThat(Javac.in(temp)
                        .compile("E.java", """
                                import dev.pals.key.*;
                                @LockApp("search") enum E {
                                    @LockName(value = "%s", by = Long.class) A,
                                    @LockName(value = "%s", by = Long.class) B
                                }
                                """.formatted(pair[0], pair[1]))
                        .errors())
                .singleElement()
                .asString()
                .startsWith("[PalsFamilyReach]");
    }

    @Test
    void textFamily_besideAPlainLockOfItsJoinedName_isFine() {
        compiled("""
                import dev.pals.key.*;
                class E {
                    @LockApp("billing") enum A { @LockName("eu.run") RUN }
                    @LockApp("billing.eu") enum B { @LockName(value = "walk", by = String.class) WALK }
                }
                """, key -> 1L << 50).orFail();
    }

    @Test
    void textFamilies_ofOneHash_collide() {
        Result result = compiled("""
                import dev.pals.key.*;
                class E {
                    @LockApp("billing") enum A { @LockName(value = "eu.run", by = String.class) RUN }
                    @LockApp("billing.eu") enum B { @LockName(value = "run", by = java.util.UUID.class) RUN }
                }
                """, LockKey::lockHash);

        assertThat(result.errors()).singleElement().asString().startsWith("[PalsCollidingHash]");
    }

    /** With 8 bits of block instead of 24, a thousand names have many pairs on both sides of the line. */
    @Test
    void familyReach_fewerBits_isExactlyWhereIdsCanMeet() {
        int pairs = 0;
        for (int i = 0; i < 1000; i += 2) {
            long one = LockKey.of("bits", "n" + i).lockHash() >> 16;
            long other = LockKey.of("bits", "n" + (i + 1)).lockHash() >> 16;
            boolean canMeet = (one ^ other) > -LockFamily.ID_LIMIT && (one ^ other) < LockFamily.ID_LIMIT;
            assertThat(CollisionCheck.block(one) == CollisionCheck.block(other))
                    .as("n" + i)
                    .isEqualTo(canMeet);
            pairs += canMeet ? 1 : 0;
        }
        assertThat(pairs).isBetween(1, 50);
    }
}
