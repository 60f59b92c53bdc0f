package dev.pals;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A network between a program and PostgreSQL that reads along: every SQL text that is sent, whoever sends it.
 *
 * @see <a href="https://www.postgresql.org/docs/current/protocol-message-formats.html">Message formats</a>
 */
final class WireTap implements AutoCloseable {
    private static final int POSTGRES_PORT = 5432;

    private final URI target;
    private final ServerSocket server;
    private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
    private final List<String> sql = new CopyOnWriteArrayList<>();
    private final List<String> startups = new CopyOnWriteArrayList<>();

    /** Makes one in front of the server of a JDBC URL. */
    WireTap(String jdbcUrl) {
        target = URI.create(jdbcUrl.substring("jdbc:".length()));
        try {
            server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start(this::accept);
    }

    /** The URL that leads through it, unencrypted. */
    String url() {
        return TestDatabase.urlWith(
                "jdbc:postgresql://" + server.getInetAddress().getHostAddress() + ":" + server.getLocalPort()
                        + target.getRawPath() + (target.getRawQuery() == null ? "" : "?" + target.getRawQuery()),
                "sslmode=disable&gssEncMode=disable");
    }

    /** The texts of simple queries and of statements that were prepared, in the order in which they came. */
    List<String> sql() {
        return sql;
    }

    /** What was said at the beginning of each connection, outside of any SQL. */
    List<String> startups() {
        return startups;
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "wire tap");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                Socket postgres = new Socket(target.getHost(), target.getPort() < 0 ? POSTGRES_PORT : target.getPort());
                sockets.add(client);
                sockets.add(postgres);
                client.setTcpNoDelay(true);
                postgres.setTcpNoDelay(true);
                start(() -> forward(client, postgres, true));
                start(() -> forward(postgres, client, false));
            } catch (SocketException e) {
                // It is closed.
                close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void forward(Socket from, Socket to, boolean read) {
        try (DataInputStream input = new DataInputStream(from.getInputStream());
                OutputStream output = to.getOutputStream()) {
            if (read) {
                forwardMessages(input, output);
            } else {
                input.transferTo(output);
            }
        } catch (EOFException | SocketException e) {
            // One end has closed its connection, and so is the other's by now.
            return;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void forwardMessages(DataInputStream input, OutputStream output) throws IOException {
        startups.add(text(message(input, output)));
        while (true) {
            int type = input.readUnsignedByte();
            output.write(type);
            byte[] body = message(input, output);
            if (type == 'Q') {
                sql.add(text(body));
            } else if (type == 'P') {
                // Behind the statement's name.
                String nameAndSql = text(body);
                sql.add(nameAndSql.substring(nameAndSql.indexOf('\0') + 1));
            }
        }
    }

    /** Reads and passes on what comes behind a message's type. */
    private static byte[] message(DataInputStream input, OutputStream output) throws IOException {
        int length = input.readInt();
        byte[] body = input.readNBytes(length - Integer.BYTES);
        output.write(new byte[] {(byte) (length >>> 24), (byte) (length >>> 16), (byte) (length >>> 8), (byte) length});
        output.write(body);
        output.flush();
        return body;
    }

    private static String text(byte[] body) {
        return new String(body, StandardCharsets.UTF_8);
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
