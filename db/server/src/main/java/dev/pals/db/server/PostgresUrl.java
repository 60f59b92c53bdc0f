package dev.pals.db.server;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Turns libpq's form of a connection URL into JDBC's. No message shows the URL, since it may hold a password.
 *
 * @see <a href="https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS">Connection URIs</a>
 */
final class PostgresUrl {
    /** With a '/' behind the hosts: where it is missing the driver logs the whole URL. */
    private static final Pattern JDBC = Pattern.compile("jdbc:postgresql:(//[^/?]*/|(?!//)).*");

    private static final Pattern LIBPQ = Pattern.compile("postgres(ql)?://.*");
    private static final Pattern HOST = Pattern.compile("([^\\[\\]:]*|\\[[0-9A-Fa-f:.]+])(:[0-9]+)?");

    private PostgresUrl() {}

    /**
     * Returns a JDBC URL as it is, and {@code postgresql://user:pass@host:port/db?options} as the same in JDBC's form.
     */
    static String toJdbc(String url) {
        String jdbc = LIBPQ.matcher(url).matches() ? fromLibpq(url) : url;
        // Asked here, since the driver's exception at the connection would quote the URL.
        if (!JDBC.matcher(jdbc).matches() || !hasDriver(jdbc)) {
            throw refused("the driver cannot read it");
        }
        return jdbc;
    }

    private static boolean hasDriver(String jdbc) {
        try {
            return DriverManager.getDriver(jdbc) != null;
        } catch (SQLException e) {
            return false;
        }
    }

    private static String fromLibpq(String url) {
        URI uri = parsed(url);
        // Not URI's own user and host: there are none where a host name has an underscore or there are several hosts.
        String authority = Objects.requireNonNullElse(uri.getRawAuthority(), "");
        int at = authority.lastIndexOf('@');
        String hosts = authority.substring(at + 1);
        if (uri.getRawFragment() != null || !Stream.of(hosts.split(",", -1)).allMatch(HOST.asMatchPredicate())) {
            throw refused("percent-encode what is special in the user and password");
        }
        StringBuilder jdbc = new StringBuilder("jdbc:postgresql://");
        jdbc.append(hosts.isEmpty() ? "localhost" : hosts);
        jdbc.append(uri.getRawPath().isEmpty() ? "/" : withPlus(uri.getRawPath()));
        String separator = "?";
        if (at >= 0) {
            String[] user = authority.substring(0, at).split(":", 2);
            jdbc.append(separator).append("user=").append(reencoded(user[0]));
            separator = "&";
            if (user.length == 2) {
                jdbc.append(separator).append("password=").append(reencoded(user[1]));
            }
        }
        if (uri.getRawQuery() != null) {
            jdbc.append(separator).append(withPlus(uri.getRawQuery()));
        }
        return jdbc.toString();
    }

    private static URI parsed(String url) {
        try {
            return new URI(url);
        } catch (URISyntaxException e) {
            // Without the cause, whose message would quote the URL.
            throw refused(e.getReason().toLowerCase(Locale.ROOT));
        }
    }

    private static String reencoded(String percentEncoded) {
        String plain = URLDecoder.decode(withPlus(percentEncoded), StandardCharsets.UTF_8);
        return URLEncoder.encode(plain, StandardCharsets.UTF_8);
    }

    /** A '+' is a plus in libpq's form and a blank in JDBC's. */
    private static String withPlus(String percentEncoded) {
        return percentEncoded.replace("+", "%2B");
    }

    private static PostgresUnavailableException refused(String why) {
        return new PostgresUnavailableException(
                PostgresServer.URL_VARIABLE + " is no PostgreSQL URL (" + why
                        + "). Write postgresql://user:pass@host:port/db or jdbc:postgresql://host:port/db",
                null);
    }
}
