package dev.pals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;

import dev.pals.jooq.AdvisoryLocks;
import dev.pals.key.LockFamily;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys that PostgreSQL computes are those that Java computes. */
@ExtendWith(TestDatabase.Extension.class)
final class AdvisoryLocksTest {
    private static final LockFamily<Long> ACCOUNT = LockFamily.byLong("bank", "account");
    private static final Field<Long> ID = field(name("id"), SQLDataType.BIGINT);

    private final DSLContext dsl;

    AdvisoryLocksTest(TestDatabase database) {
        dsl = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    }

    @Test
    void key_ofAColumn_isTheKeyThatJavaComputes() {
        Map<Long, Long> expected = new TreeMap<>();
        for (long id : List.of(0L, 42L, -42L, LockFamily.ID_LIMIT - 1, -LockFamily.ID_LIMIT + 1)) {
            expected.put(id, ACCOUNT.of(id).lockHash());
        }
        new Random(7)
                .longs(100, -LockFamily.ID_LIMIT + 1, LockFamily.ID_LIMIT)
                .forEach(id -> expected.put(id, ACCOUNT.of(id).lockHash()));

        Map<Long, Long> keys = dsl.select(ID, AdvisoryLocks.key(ACCOUNT, ID).as("key"))
                .from(DSL.unnest(DSL.val(expected.keySet().toArray(Long[]::new)))
                        .as("ids", "id"))
                .fetchMap(r -> r.value1(), r -> r.value2());

        assertThat(keys).isEqualTo(expected);
    }

    @Test
    void key_ofAnIntegerColumn_isTheKeyThatJavaComputes() {
        LockFamily<Integer> branch = LockFamily.byInteger("bank", "branch");

        assertThat(keyOf(branch, DSL.val(Integer.MIN_VALUE)))
                .isEqualTo(branch.of(Integer.MIN_VALUE).lockHash());
    }

    @Test
    void key_ofNull_isNull() {
        assertThat(keyOf(ACCOUNT, DSL.val(null, SQLDataType.BIGINT))).isNull();
    }

    @ParameterizedTest
    @ValueSource(longs = {LockFamily.ID_LIMIT, -LockFamily.ID_LIMIT, Long.MAX_VALUE, Long.MIN_VALUE})
    void key_ofAnIdOutOfRange_isPostgresqlsError(long id) {
        assertThatThrownBy(() -> keyOf(ACCOUNT, DSL.val(id)))
                .isInstanceOfSatisfying(
                        DataAccessException.class, e -> assertThat(e.sqlState()).isEqualTo("22003"));
    }

    @Test
    void key_familyThatWasRenamed_isRefused() {
        assertThatThrownBy(() -> AdvisoryLocks.key(RenamedLocks.ACCOUNT, ID))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("renamed.account", "renamed.acct", "formerly");
    }

    private <T extends Number> Long keyOf(LockFamily<T> family, Field<? extends Number> id) {
        return dsl.select(AdvisoryLocks.key(family, id)).fetchSingle().value1();
    }
}
