package dev.pals;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;

/**
 * A network between a program and PostgreSQL that can fall silent: from then on bytes are dropped in both directions,
 * while neither end sees its connection closed.
 */
final class SilentProxy extends Relay {
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile boolean silent;

    /** Makes one in front of the server of a JDBC URL. */
    SilentProxy(String jdbcUrl) {
        super(jdbcUrl);
        open();
    }

    void silence() {
        silent = true;
    }

    @Override
    void carry(Socket from, Socket to, boolean requests) throws IOException {
        byte[] buffer = new byte[8192];
        InputStream input = from.getInputStream();
        OutputStream output = to.getOutputStream();
        try {
            for (int read = input.read(buffer); read >= 0; read = input.read(buffer)) {
                if (!silent) {
                    output.write(buffer, 0, read);
                }
            }
        } finally {
            awaitSound();
        }
    }

    /** That one end has closed its connection is not heard of either. */
    private void awaitSound() {
        if (silent) {
            try {
                closed.await();
            } catch (InterruptedException e) {
                // Then it is heard of.
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        closed.countDown();
        super.close();
    }
}
