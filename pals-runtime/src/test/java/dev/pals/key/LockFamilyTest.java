package dev.pals.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LockFamilyTest {
    @Test
    void family_id_isXoredIntoTheFamilysHash() {
        LockFamily<Long> accounts = LockFamily.byLong("bank", "account");
        long familyHash = LockHash.of("bank.account");
        assertThat(accounts.familyHash()).isEqualTo(familyHash);
        assertThat(accounts.appHash()).isEqualTo(LockHash.of("bank"));
        LongStream.of(0, 1, 42, -1, -42, LockFamily.ID_LIMIT - 1, -LockFamily.ID_LIMIT + 1)
                .forEach(id -> {
                    LockKey key = accounts.of(id);
                    assertThat(key.lockHash() ^ familyHash).isEqualTo(id);
                    assertThat(key.name()).isEqualTo("account:" + id);
                    assertThat(key.appHash()).isEqualTo(accounts.appHash());
                });
    }

    @ParameterizedTest
    @ValueSource(longs = {LockFamily.ID_LIMIT, -LockFamily.ID_LIMIT, Long.MAX_VALUE, Long.MIN_VALUE})
    void family_idOutOfRange_isRefusedWithFamilyAndId(long id) {
        assertThatThrownBy(() -> LockFamily.byLong("bank", "account").of(id))
                .isInstanceOf(InvalidLockIdException.class)
                .hasMessageContainingAll("bank.account", Long.toString(id));
    }

    @Test
    void family_byInteger_hasTheKeysOfTheFamilyByLong() {
        LockFamily<Integer> branches = LockFamily.byInteger("bank", "branch");
        for (int id : new int[] {0, 7, -7, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThat(branches.of(id))
                    .isEqualTo(LockFamily.byLong("bank", "branch").of((long) id));
            assertThat(branches.idOf(branches.of(id))).contains(id);
        }
    }

    @Test
    void idOf_longThatIsNoInteger_isEmptyForAFamilyByInteger() {
        LockFamily<Integer> branches = LockFamily.byInteger("bank", "branch");
        LockKey key = LockFamily.byLong("bank", "branch").of(1L << 31);
        assertThat(branches.idOf(key)).isEmpty();
    }

    @Test
    void idOf_keyOfAnotherFamily_isEmpty() {
        assertThat(LockFamily.byLong("bank", "account")
                        .idOf(LockFamily.byLong("bank", "branch").of(1L)))
                .isEmpty();
    }

    @Test
    void family_byStringAndByUuid_hashNameAndId() {
        UUID id = UUID.fromString("7B6EA6A4-0C47-4D29-9C55-5D2AC0F0B4B1");
        LockFamily<String> customers = LockFamily.byString("bank", "customer");
        assertThat(customers.of("ann").lockHash()).isEqualTo(LockHash.of("bank.customer:ann"));
        assertThat(customers.of("ann")).hasToString("bank.customer:ann");
        assertThat(customers.of("a:b").lockHash()).isEqualTo(LockHash.of("bank.customer:a:b"));
        assertThat(LockFamily.byUuid("bank", "payment").of(id).lockHash())
                .isEqualTo(LockHash.of("bank.payment:7b6ea6a4-0c47-4d29-9c55-5d2ac0f0b4b1"));
        assertThat(customers.idOf(customers.of("ann"))).isEmpty();
        assertThat(customers.isNumeric()).isFalse();
        assertThat(customers.by()).isEqualTo(String.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "a\0b", "\uD800"})
    void family_idUnusable_isRefusedWithFamilyAndId(String bad) {
        assertThatThrownBy(() -> LockFamily.byString("bank", "customer").of(bad))
                .isInstanceOf(InvalidLockIdException.class)
                .hasMessageContaining("id of lock family bank.customer:*");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "a\0b", "\uD800"})
    void family_nameUnusable_isRefused(String bad) {
        assertThatThrownBy(() -> LockFamily.byLong("app", bad)).isInstanceOf(InvalidLockNameException.class);
        assertThatThrownBy(() -> LockFamily.byString(bad, "family")).isInstanceOf(InvalidLockNameException.class);
    }

    @Test
    void generated_familyThatWasRenamed_givesKeysWithTheirFormerOnes() {
        LockFamily<Long> former = LockFamily.byLong("bank", "acct");
        GeneratedLocks locks = new GeneratedLocks("bank", LockHash.of("bank"));
        LockFamily<Long> family =
                locks.byLong("ACCOUNT", "account", LockHash.of("bank.account"), "acct", LockHash.of("bank.acct"));
        assertThat(family.of(42L))
                .isEqualTo(LockFamily.byLong("bank", "account").of(42L));
        assertThat(family.of(42L).formerly()).contains(former.of(42L));
        assertThat(former.of(42L).formerly()).isEmpty();
    }

    @Test
    void generated_familiesOfEachType_areThoseOfTheFactories() {
        GeneratedLocks locks = new GeneratedLocks("bank", LockHash.of("bank"));
        long hash = LockHash.of("bank.x");
        UUID id = new UUID(1, 2);
        assertThat(locks.byInteger("BY_INTEGER", "x", hash).of(7))
                .isEqualTo(LockFamily.byInteger("bank", "x").of(7));
        assertThat(locks.byString("BY_STRING", "x", hash).of("y"))
                .isEqualTo(LockFamily.byString("bank", "x").of("y"));
        assertThat(locks.byUuid("BY_UUID", "x", hash).of(id))
                .isEqualTo(LockFamily.byUuid("bank", "x").of(id));
    }
}
