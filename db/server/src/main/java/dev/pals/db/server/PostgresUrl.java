package dev.pals.db.server;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Turns libpq's form of a connection URL into JDBC's.
 *
 * @see <a href="https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS">Connection URIs</a>
 */
final class PostgresUrl {

    private PostgresUrl() {}

    /**
     * Returns a JDBC URL as it is, and {@code postgresql://user:pass@host:port/db?options} as the same in JDBC's form.
     */
    static String toJdbc(String url) {
        if (url.startsWith("jdbc:postgresql:")) {
            return url;
        }
        if (!url.matches("postgres(ql)?://.*")) {
            throw refused(url.replaceAll(":.*", ":..."), null);
        }
        try {
            URI uri = new URI(url);
            StringBuilder jdbc = new StringBuilder("jdbc:postgresql://");
            jdbc.append(uri.getHost() == null ? "localhost" : uri.getHost());
            jdbc.append(uri.getPort() < 0 ? "" : ":" + uri.getPort());
            jdbc.append(uri.getRawPath().isEmpty() ? "/" : uri.getRawPath());
            String separator = "?";
            if (uri.getRawUserInfo() != null) {
                String[] user = uri.getRawUserInfo().split(":", 2);
                jdbc.append(separator).append("user=").append(reencoded(user[0]));
                separator = "&";
                if (user.length == 2) {
                    jdbc.append(separator).append("password=").append(reencoded(user[1]));
                }
            }
            if (uri.getRawQuery() != null) {
                jdbc.append(separator).append(uri.getRawQuery());
            }
            return jdbc.toString();
        } catch (URISyntaxException e) {
            // The cause's message would quote the URL, and the password with it.
            throw refused("postgresql://... (" + e.getReason().toLowerCase(Locale.ROOT) + ")", null);
        }
    }

    /** A '+' is a plus in libpq's form and a blank in JDBC's. */
    private static String reencoded(String percentEncoded) {
        String plain = URLDecoder.decode(percentEncoded.replace("+", "%2B"), StandardCharsets.UTF_8);
        return URLEncoder.encode(plain, StandardCharsets.UTF_8);
    }

    private static PostgresUnavailableException refused(String shown, @Nullable Throwable cause) {
        return new PostgresUnavailableException(
                PostgresServer.URL_VARIABLE + "=" + shown
                        + " is no PostgreSQL URL. Write postgresql://user:pass@host:port/db or jdbc:postgresql://host:port/db",
                cause);
    }
}
