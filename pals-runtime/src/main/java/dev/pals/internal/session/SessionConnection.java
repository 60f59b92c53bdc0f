package dev.pals.internal.session;

import dev.pals.internal.sql.AdvisoryLockSql;
import dev.pals.internal.sql.SqlState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection while a session uses it: what is set on it for that time, and put back afterwards. */
final class SessionConnection {
    private static final Logger LOG = LoggerFactory.getLogger(SessionConnection.class);

    private final Connection connection;
    private final SessionSettings settings;
    private final boolean autoCommitBefore;
    private final int networkTimeoutBefore;
    private final Map<String, String> settingsBefore = new LinkedHashMap<>();
    private int pid;

    SessionConnection(Connection connection, SessionSettings settings) throws SQLException {
        this.connection = connection;
        this.settings = settings;
        autoCommitBefore = connection.getAutoCommit();
        if (!autoCommitBefore) {
            // A session that holds locks for long must not be idle in a transaction.
            connection.setAutoCommit(true);
        }
        networkTimeoutBefore = connection.getNetworkTimeout();
        expectAnswersWithin(0);
        Map<String, String> wanted = new LinkedHashMap<>(settings.leaseSettings());
        wanted.putAll(settings.orphanSettings());
        try {
            settingsBefore.putAll(set(wanted));
        } catch (SQLException e) {
            LOG.debug("The session's settings are made one by one", e);
            // Some operating systems lack some of those for orphans.
            settingsBefore.putAll(set(settings.leaseSettings()));
            for (Map.Entry<String, String> each : settings.orphanSettings().entrySet()) {
                setIfPossible(each.getKey(), each.getValue());
            }
        }
    }

    /** Of the process that PostgreSQL has for it; with a pooler between, the driver knows another one. */
    int pid() {
        return pid;
    }

    private void setIfPossible(String name, String value) throws SQLException {
        try {
            settingsBefore.putAll(set(Map.of(name, value)));
        } catch (SQLException e) {
            if (!SqlState.INVALID_PARAMETER_VALUE.matches(e)) {
                throw e;
            }
            LOG.info("This server cannot set {}, so it may notice a vanished client late", name, e);
        }
    }

    /** Makes settings of the session; returns what they were. */
    private Map<String, String> set(Map<String, String> wanted) throws SQLException {
        Map<String, String> before = new LinkedHashMap<>();
        if (wanted.isEmpty()) {
            return before;
        }
        try (PreparedStatement statement = connection.prepareStatement(AdvisoryLockSql.EXCHANGE_SETTINGS)) {
            statement.setArray(
                    1, connection.createArrayOf("text", wanted.keySet().toArray()));
            statement.setArray(
                    2, connection.createArrayOf("text", wanted.values().toArray()));
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    before.put(result.getString(1), result.getString(2));
                    pid = result.getInt(4);
                }
            }
        }
        return before;
    }

    /**
     * An answer that does not come in time ends the connection: the other end has vanished.
     *
     * @param extraMillis how long the statement itself may take
     */
    void expectAnswersWithin(long extraMillis) throws SQLException {
        long millis = Math.min(Integer.MAX_VALUE, settings.answerWithinMillis() + extraMillis);
        connection.setNetworkTimeout(Runnable::run, (int) millis);
    }

    /** Puts everything back and gives the connection to where it came from. */
    void giveBack() throws SQLException {
        set(settingsBefore);
        if (!autoCommitBefore) {
            connection.setAutoCommit(false);
        }
        connection.setNetworkTimeout(Runnable::run, networkTimeoutBefore);
        connection.close();
    }
}
