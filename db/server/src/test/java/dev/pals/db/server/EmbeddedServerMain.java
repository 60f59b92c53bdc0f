package dev.pals.db.server;

import java.io.IOException;

/** A process that starts an embedded server, says so, and waits to be killed. */
final class EmbeddedServerMain {
    private EmbeddedServerMain() {}

    public static void main(String[] args) throws IOException {
        EmbeddedSource source = EmbeddedSource.start("any");
        System.out.println(source.url());
        System.out.flush();
        // Ends only with this process, or with the test that started it.
        System.exit(System.in.read() < 0 ? 1 : 0);
    }
}
