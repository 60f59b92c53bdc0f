package dev.pals.key;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.NotBlank;

/** What holds for any numeric families and ids. */
final class LockFamilyPropertyTest {
    private static final GeneratedLocks LOCKS = new GeneratedLocks("any", 0);
    private static final long MAX_ID = LockFamily.ID_LIMIT - 1;

    @Property
    void idOf_keyOfAnyId_isTheId(
            @ForAll @NotBlank String name, @ForAll @LongRange(min = -MAX_ID, max = MAX_ID) long id) {
        Assume.that(isName(name));
        LockFamily<Long> family = LockFamily.byLong("any", name);
        assertThat(family.idOf(family.of(id))).contains(id);
    }

    @Property
    void keys_ofTwoIdsOfOneFamily_areEqualExactlyIfTheIdsAre(
            @ForAll long familyHash,
            @ForAll @LongRange(min = -MAX_ID, max = MAX_ID) long one,
            @ForAll @LongRange(min = -MAX_ID, max = MAX_ID) long other) {
        LockFamily<Long> family = LOCKS.byLong("ANY", "any", familyHash);
        assertThat(family.of(one).equals(family.of(other))).isEqualTo(one == other);
    }

    /** The proof that the annotation processor makes: families whose upper 24 bits differ, and are not opposite. */
    @Property
    void keys_ofTwoFamiliesOutOfReach_areNeverEqual(
            @ForAll long oneHash,
            @ForAll long otherHash,
            @ForAll @LongRange(min = -MAX_ID, max = MAX_ID) long one,
            @ForAll @LongRange(min = -MAX_ID, max = MAX_ID) long other) {
        long difference = (oneHash ^ otherHash) >> 40;
        Assume.that(difference != 0 && difference != -1);
        LockFamily<Long> oneFamily = LOCKS.byLong("ONE", "one", oneHash);
        LockFamily<Long> otherFamily = LOCKS.byLong("OTHER", "other", otherHash);
        assertThat(oneFamily.of(one)).isNotEqualTo(otherFamily.of(other));
        assertThat(oneFamily.idOf(otherFamily.of(other))).isEmpty();
    }

    /** And the other way round: within reach there are ids that meet, so the processor refuses none without need. */
    @Property
    void keys_ofTwoFamiliesWithinReach_meetForSomeIds(
            @ForAll long oneHash, @ForAll @LongRange(min = -MAX_ID, max = MAX_ID) long difference) {
        LockFamily<Long> oneFamily = LOCKS.byLong("ONE", "one", oneHash);
        LockFamily<Long> otherFamily = LOCKS.byLong("OTHER", "other", oneHash ^ difference);
        assertThat(oneFamily.of(difference)).isEqualTo(otherFamily.of(0L));
    }

    @Property
    void keys_ofIntegerAndLongIds_areTheSame(@ForAll long familyHash, @ForAll int id) {
        LockFamily<Integer> byInteger = LOCKS.byInteger("ANY", "any", familyHash);
        LockFamily<Long> byLong = LOCKS.byLong("ANY", "any", familyHash);
        assertThat(byInteger.of(id)).isEqualTo(byLong.of((long) id));
        assertThat(byInteger.idOf(byInteger.of(id))).contains(id);
    }

    private static boolean isName(String text) {
        try {
            LockKey.of(text);
            return true;
        } catch (InvalidLockNameException e) {
            return false;
        }
    }
}
