package dev.pals.db.server;

/** The server that {@code PALS_DB_URL} names, by its JDBC URL. */
record NamedSource(String url) implements PostgresServer.Source {

    @Override
    public String choice() {
        return "the server that " + PostgresServer.URL_VARIABLE + " names (it is set)";
    }

    @Override
    public void close() {
        // Not ours to stop.
    }
}
