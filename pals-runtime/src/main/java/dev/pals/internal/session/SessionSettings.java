package dev.pals.internal.session;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a locker's sessions do about clients and servers that fall silent, and whether their locks come with fencing
 * tokens.
 *
 * @param lease after how long PostgreSQL ends the session of a client that hangs; null for never
 * @param orphanTime within how long each end notices that the other has vanished
 * @param fenced whether exclusive locks come with fencing tokens
 */
public record SessionSettings(@Nullable Duration lease, Duration orphanTime, boolean fenced) {
    /** One wait in PostgreSQL; a longer one is made of several, since others wait for the snapshot of each. */
    private static final Duration LONGEST_SLICE = Duration.ofSeconds(10);

    private static final Duration LONGEST_IDLE = Duration.ofSeconds(1);

    /**
     * The setting that ends the session of a client that hangs; empty where there is no lease.
     *
     * @see <a
     *     href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-SESSION-TIMEOUT">idle_session_timeout</a>
     */
    Map<String, String> leaseSettings() {
        return lease == null ? Map.of() : Map.of("idle_session_timeout", lease.toMillis() + "ms");
    }

    /**
     * The settings by which PostgreSQL notices that its client has vanished: while it waits for the client, while it
     * sends, and while it runs a statement.
     *
     * @see <a href="https://www.postgresql.org/docs/current/runtime-config-connection.html#RUNTIME-CONFIG-TCP">TCP
     *     settings</a>
     */
    Map<String, String> orphanSettings() {
        long millis = orphanTime.toMillis();
        long quietSeconds = Math.max(1, millis / 2_000);
        long probeSeconds = Math.max(1, millis / 6_000);
        long probes = Math.max(1, (millis / 1_000 - quietSeconds) / probeSeconds);
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("tcp_keepalives_idle", Long.toString(quietSeconds));
        settings.put("tcp_keepalives_interval", Long.toString(probeSeconds));
        settings.put("tcp_keepalives_count", Long.toString(probes));
        settings.put("tcp_user_timeout", millis + "ms");
        settings.put("client_connection_check_interval", millis / 2 + "ms");
        return settings;
    }

    /** How long a session that holds nothing may be idle; longer, and PostgreSQL might end it because of the lease. */
    long longestIdleNanos() {
        long leaseNanos = lease == null ? Long.MAX_VALUE : TimeUnit.NANOSECONDS.convert(lease);
        return Math.min(TimeUnit.NANOSECONDS.convert(LONGEST_IDLE), leaseNanos / 2);
    }

    /** How long an answer of PostgreSQL's may take; later, the session is taken for dead. */
    long answerWithinMillis() {
        Duration shorter = lease != null && lease.compareTo(orphanTime) < 0 ? lease : orphanTime;
        return shorter.toMillis() / 2;
    }

    /** The longest wait in PostgreSQL in one piece. */
    public long sliceNanos() {
        // With the time for the answer, that is within the orphan time.
        return Math.min(TimeUnit.NANOSECONDS.convert(LONGEST_SLICE), TimeUnit.NANOSECONDS.convert(orphanTime) / 4);
    }

    /**
     * How long after a sign of life a lock is certainly held. PostgreSQL counts from a later moment than we do, but its
     * clock may run faster.
     */
    long certainNanos() {
        return lease == null ? Long.MAX_VALUE : TimeUnit.NANOSECONDS.convert(lease) / 10 * 9;
    }
}
