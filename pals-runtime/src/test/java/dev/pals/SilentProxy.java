package dev.pals;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

/**
 * A network between a program and PostgreSQL that can fall silent: from then on bytes are dropped in both directions,
 * while neither end sees its connection closed.
 */
final class SilentProxy implements AutoCloseable {
    private static final int POSTGRES_PORT = 5432;

    private final URI target;
    private final ServerSocket server;
    private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile boolean silent;

    /** Makes one in front of the server of a JDBC URL. */
    SilentProxy(String jdbcUrl) {
        target = URI.create(jdbcUrl.substring("jdbc:".length()));
        try {
            server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start(this::accept);
    }

    /** The URL that leads through it. */
    String url() {
        return "jdbc:postgresql://" + server.getInetAddress().getHostAddress() + ":" + server.getLocalPort()
                + target.getRawPath() + (target.getRawQuery() == null ? "" : "?" + target.getRawQuery());
    }

    void silence() {
        silent = true;
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "proxy");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                sockets.add(client);
                Socket postgres = new Socket(target.getHost(), target.getPort() < 0 ? POSTGRES_PORT : target.getPort());
                sockets.add(postgres);
                client.setTcpNoDelay(true);
                postgres.setTcpNoDelay(true);
                start(() -> forward(client, postgres));
                start(() -> forward(postgres, client));
            } catch (IOException e) {
                // It is closed.
                close();
            }
        }
    }

    private void forward(Socket from, Socket to) {
        byte[] buffer = new byte[8192];
        try (InputStream input = from.getInputStream();
                OutputStream output = to.getOutputStream()) {
            for (int read = input.read(buffer); read >= 0; read = input.read(buffer)) {
                if (!silent) {
                    output.write(buffer, 0, read);
                }
            }
            awaitSound();
        } catch (IOException e) {
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

    /** Closes all connections. */
    @Override
    public void close() {
        closed.countDown();
        try {
            server.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
