package dev.pals.db.server;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;

/** An empty database of its own on a {@link PostgresServer}, dropped at {@link #close()}. Thread-safe. */
public final class ScratchDatabase implements AutoCloseable {
    private final String serverUrl;
    private final String name;

    private ScratchDatabase(String serverUrl, String name) {
        this.serverUrl = serverUrl;
        this.name = name;
    }

    static ScratchDatabase create(String serverUrl) {
        ScratchDatabase database = new ScratchDatabase(
                serverUrl, "pals_" + UUID.randomUUID().toString().replace("-", ""));
        database.execute("create database " + database.name);
        return database;
    }

    /** Its JDBC URL, with user and password in it. */
    public String url() {
        return serverUrl.replaceFirst("^(jdbc:postgresql:(?://[^/]*/)?)[^?]*", "$1" + name);
    }

    /**
     * Drops the database and ends the sessions that still use it. Idempotent.
     *
     * @throws PostgresUnavailableException if the server refuses
     */
    @Override
    public void close() {
        execute("drop database if exists " + name + " with (force)");
    }

    private void execute(String sql) {
        try (Connection connection = DriverManager.getConnection(serverUrl);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new PostgresUnavailableException(
                    "The server refused \"" + sql + "\": " + e.getMessage()
                            + " (the role needs the attribute CREATEDB)",
                    e);
        }
    }
}
