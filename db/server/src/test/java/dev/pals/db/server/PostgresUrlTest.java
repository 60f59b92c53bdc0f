package dev.pals.db.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresUrlTest {
    @ParameterizedTest
    @CsvSource({
        "postgresql://h/db, jdbc:postgresql://h/db",
        "postgres://u@h:5433/db, jdbc:postgresql://h:5433/db?user=u",
        "postgresql://u:p@h:5433/db, jdbc:postgresql://h:5433/db?user=u&password=p",
        "postgresql://u:a%40b+c@h/db?sslmode=require, jdbc:postgresql://h/db?user=u&password=a%40b%2Bc&sslmode=require",
        "postgresql://h, jdbc:postgresql://h/",
        "jdbc:postgresql://h/db?user=u, jdbc:postgresql://h/db?user=u",
    })
    void libpqForm_becomesJdbcForm(String url, String jdbc) {
        assertThat(PostgresUrl.toJdbc(url)).isEqualTo(jdbc);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mysql://u:secret@h/db", "u:secret@h", "postgresql://u:secret@h/a b"})
    void otherForm_isRefusedWithoutShowingThePassword(String url) {
        assertThatThrownBy(() -> PostgresUrl.toJdbc(url))
                .isInstanceOf(PostgresUnavailableException.class)
                .hasMessageContaining("PALS_DB_URL")
                .hasMessageNotContaining("secret")
                .hasNoCause();
    }

    @Test
    void scratchDatabase_keepsUserAndOptions() {
        try (PostgresServer server = PostgresServer.start();
                ScratchDatabase database = server.newDatabase()) {
            assertThat(database.url()).matches("jdbc:postgresql://[^/]+/pals_[0-9a-f]{32}(\\?.*)?");
        }
    }
}
