package dev.pals.benchmarks.harness;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A network between programs and PostgreSQL that can fall silent: from then on it drops what either end sends, and
 * neither end sees its connection closed.
 */
final class SilentNetwork implements AutoCloseable {
    private final URI target;
    private final ServerSocket entrance;
    private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
    private volatile boolean silent;

    /** In front of the server of a JDBC URL. */
    SilentNetwork(String url) throws IOException {
        target = URI.create(url.substring("jdbc:".length()));
        entrance = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    /** The URL that leads through it. */
    String url() {
        return "jdbc:postgresql://" + entrance.getInetAddress().getHostAddress() + ":" + entrance.getLocalPort()
                + target.getRawPath() + (target.getRawQuery() == null ? "" : "?" + target.getRawQuery());
    }

    void silence() {
        silent = true;
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "network");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket program = entrance.accept();
                sockets.add(program);
                Socket server = new Socket(target.getHost(), target.getPort() < 0 ? 5432 : target.getPort());
                sockets.add(server);
                program.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                start(() -> carry(program, server));
                start(() -> carry(server, program));
            }
        } catch (IOException e) {
            // It was closed, or PostgreSQL was: programs see that they have no connection.
            closeSockets();
        }
    }

    private void carry(Socket from, Socket to) {
        try {
            InputStream input = from.getInputStream();
            OutputStream output = to.getOutputStream();
            byte[] buffer = new byte[8192];
            for (int read = input.read(buffer); read >= 0; read = input.read(buffer)) {
                if (!silent) {
                    output.write(buffer, 0, read);
                }
            }
        } catch (IOException e) {
            // One end has gone, and the other is to see it, as at the end of the stream.
            closeUnlessSilent(to);
            return;
        }
        closeUnlessSilent(to);
    }

    private void closeUnlessSilent(Socket socket) {
        if (!silent) {
            close(socket);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException("a socket does not close", e);
        }
    }

    private void closeSockets() {
        sockets.forEach(SilentNetwork::close);
    }

    @Override
    public void close() throws IOException {
        entrance.close();
        closeSockets();
    }
}
