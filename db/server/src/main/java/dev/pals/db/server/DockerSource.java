package dev.pals.db.server;

import org.testcontainers.postgresql.PostgreSQLContainer;

/** A container of the official image; Testcontainers removes it, also after a crash of this JVM. */
final class DockerSource implements PostgresServer.Source {
    private final PostgreSQLContainer container;
    private final String choice;

    DockerSource(String major) {
        container = new PostgreSQLContainer("postgres:" + major);
        choice = "a container of postgres:" + major + " (" + PostgresServer.URL_VARIABLE
                + " is not set and Docker answers)";
        container.start();
    }

    @Override
    public String choice() {
        return choice;
    }

    @Override
    public String url() {
        String url = container.getJdbcUrl();
        return url + (url.contains("?") ? "&" : "?") + "user=" + container.getUsername() + "&password="
                + container.getPassword();
    }

    @Override
    public void close() {
        container.stop();
    }
}
