package dev.pals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A network between a program and PostgreSQL, of which a subclass says what it does with what it carries. */
abstract class Relay implements AutoCloseable {
    private static final int POSTGRES_PORT = 5432;

    private final URI target;
    private final ServerSocket server;
    private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();

    /** Makes one in front of the server of a JDBC URL. */
    Relay(String jdbcUrl) {
        target = URI.create(jdbcUrl.substring("jdbc:".length()));
        try {
            server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The URL that leads through it. */
    String url() {
        return "jdbc:postgresql://" + server.getInetAddress().getHostAddress() + ":" + server.getLocalPort()
                + target.getRawPath() + (target.getRawQuery() == null ? "" : "?" + target.getRawQuery());
    }

    /** Begins to accept connections; once the subclass is complete. */
    final void open() {
        start(this::accept);
    }

    /**
     * Carries one direction of one connection until it ends.
     *
     * @param requests whether it is the program that speaks, and not PostgreSQL
     */
    abstract void carry(Socket from, Socket to, boolean requests) throws IOException;

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "relay");
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
                start(() -> carryAll(client, postgres, true));
                start(() -> carryAll(postgres, client, false));
            } catch (SocketException e) {
                // It is closed, or PostgreSQL is.
                close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void carryAll(Socket from, Socket to, boolean requests) {
        try (from;
                to) {
            carry(from, to, requests);
        } catch (IOException e) {
            // One end has closed its connection, and so is the other's by now.
            return;
        }
    }

    /** Closes all connections. */
    @Override
    public void close() {
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
