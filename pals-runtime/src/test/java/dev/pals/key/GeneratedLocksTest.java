package dev.pals.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class GeneratedLocksTest {
    private enum Bank {
        CLOSE,
        ACCOUNT,
        AUDIT,
        NEWER_THAN_THE_KEYS
    }

    private final GeneratedLocks locks = new GeneratedLocks("bank", 1);
    private final LockKey close = locks.key("CLOSE", "close", 2);
    private final LockFamily<Long> account = locks.byLong("ACCOUNT", "account", 3);
    private final LockKey audit = locks.key("AUDIT", "audit", 4, "revision", 5);

    @Test
    void of_constantOfTheEnum_isWhatItDeclares() {
        LockKey key = locks.of(Bank.CLOSE);
        LockFamily<Long> family = locks.of(Bank.ACCOUNT);
        assertThat(key).isSameAs(close);
        assertThat(family).isSameAs(account);
    }

    @Test
    void of_constantThatIsNewerThanTheKeys_refusesWithTheWayOut() {
        assertThatThrownBy(() -> locks.of(Bank.NEWER_THAN_THE_KEYS))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "The lock keys of %s do not know its constant NEWER_THAN_THE_KEYS, which is newer than they"
                                + " are. Compile the enum's module anew.",
                        Bank.class.getName());
    }

    @Test
    void lists_keysAndFamilies_areInTheOrderOfTheConstants() {
        assertThat(locks.keys()).containsExactly(close, audit);
        assertThat(locks.families()).containsExactly(account);
        assertThat(audit.formerly().orElseThrow().lockHash()).isEqualTo(5);
    }
}
