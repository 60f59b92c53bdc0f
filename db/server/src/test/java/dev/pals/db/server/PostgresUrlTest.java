package dev.pals.db.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresUrlTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    postgresql://h/db                               | jdbc:postgresql://h/db
                    postgres://u@h:5433/db                          | jdbc:postgresql://h:5433/db?user=u
                    postgresql://u:p@h:5433/db                      | jdbc:postgresql://h:5433/db?user=u&password=p
                    postgresql://u:p:q@h/db                         | jdbc:postgresql://h/db?user=u&password=p%3Aq
                    postgresql://u%40x:a%40b+c@h/db?sslmode=require | jdbc:postgresql://h/db?user=u%40x&password=a%40b%2Bc&sslmode=require
                    postgresql://h                                  | jdbc:postgresql://h/
                    postgresql:///db                                | jdbc:postgresql://localhost/db
                    postgresql://u@/db                              | jdbc:postgresql://localhost/db?user=u
                    postgresql://u:p@my_host:1/db                   | jdbc:postgresql://my_host:1/db?user=u&password=p
                    postgresql://u@h1:1,h2/db                       | jdbc:postgresql://h1:1,h2/db?user=u
                    postgresql://u@[::1]:5433/db                    | jdbc:postgresql://[::1]:5433/db?user=u
                    postgresql://h/d+b?password=a+b                 | jdbc:postgresql://h/d%2Bb?password=a%2Bb
                    """)
    void libpqForm_becomesJdbcForm(String url, String jdbc) {
        assertThat(PostgresUrl.toJdbc(url)).isEqualTo(jdbc);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://h/db?user=u&password=a+b",
                "jdbc:postgresql://h:5433/",
                "jdbc:postgresql:db",
            })
    void jdbcForm_staysAsItIs(String url) {
        assertThat(PostgresUrl.toJdbc(url)).isEqualTo(url);
    }

    @Test
    void percentEncodedUserAndPassword_reachTheDriverDecoded() throws SQLException {
        String jdbc = PostgresUrl.toJdbc("postgresql://us%C5%82er%20x:p%40ss%2Fw%25o%26r+d@h/my%20db");

        assertThat(DriverManager.getDriver(jdbc).getPropertyInfo(jdbc, new Properties()))
                .extracting(property -> property.name + "=" + property.value)
                .contains("user=usłer x", "password=p@ss/w%o&r+d", "PGDBNAME=my db");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mysql://u:secret@h/db",
                "u:secret@h",
                "host=h password=secret",
                "postgresql://u:secret@h/a b",
                "postgresql://u:%zzsecret@h/db",
                "postgresql://u:secret#x@h/db",
                "postgresql://u:secret/x@h/db",
                "postgresql://u:secret@h:port/db",
                "postgresql://u:secret@h:99999/db",
                "jdbc:postgresql://h:port/db?password=secret",
                "jdbc:postgresql://h?password=secret",
                "jdbc:postgresql://h/db?password=%zzsecret",
                "jdbc:mysql://h/db?password=secret",
            })
    void otherForm_isRefusedWithoutShowingThePassword(String url) {
        assertThatThrownBy(() -> PostgresServer.start(url))
                .isInstanceOf(PostgresUnavailableException.class)
                .hasMessageContaining("PALS_DB_URL")
                .hasMessageNotContaining("secret")
                .hasNoCause();
    }
}
