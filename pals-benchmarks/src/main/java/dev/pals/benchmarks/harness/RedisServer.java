package dev.pals.benchmarks.harness;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A Redis on a port of its own that writes nothing to disk. A shell stops it when its input ends, as when this JVM
 * does.
 */
final class RedisServer implements AutoCloseable {
    private static final String SCRIPT = """
            command -v redis-server >/dev/null || exit 0
            redis-server --port "$1" --bind 127.0.0.1 --save '' --appendonly no --dir /tmp >/dev/null 2>&1 &
            echo $!
            cat >/dev/null
            kill $!
            wait
            """;

    private static final String CONNECTED = "connected_clients:";
    private static final long PATIENCE_SECONDS = 20;

    private final Process shell;
    private final long pid;
    private final int port;

    private RedisServer(Process shell, long pid, int port) {
        this.shell = shell;
        this.pid = pid;
        this.port = port;
    }

    /** Starts one; empty where the program is not installed. */
    static Optional<RedisServer> start() throws IOException, InterruptedException {
        int port = freePort();
        Process shell = new ProcessBuilder("sh", "-c", SCRIPT, "redis", Integer.toString(port))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader said = new BufferedReader(new InputStreamReader(shell.getInputStream(), StandardCharsets.UTF_8));
        String pid = said.readLine();
        if (pid == null) {
            return Optional.empty();
        }
        RedisServer server = new RedisServer(shell, Long.parseLong(pid), port);
        server.awaitConnection();
        return Optional.of(server);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void awaitConnection() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return;
            } catch (IOException e) {
                if (System.nanoTime() > deadline) {
                    close();
                    throw new IOException("redis-server does not answer on port " + port, e);
                }
                Thread.sleep(20);
            }
        }
    }

    long pid() {
        return pid;
    }

    /** Connections of others. */
    int connections() throws IOException {
        return Integer.parseInt(answer("INFO clients", CONNECTED)) - 1;
    }

    /** Forgets every key. */
    void flush() throws IOException {
        answer("FLUSHALL", "+OK");
    }

    /** The rest of the answer's first line that begins so. */
    private String answer(String command, String beginning) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
                BufferedReader answer =
                        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))) {
            socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
            socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.UTF_8));
            return answer.lines()
                    .filter(line -> line.startsWith(beginning))
                    .map(line -> line.substring(beginning.length()))
                    .findFirst()
                    .orElseThrow(() -> new IOException("Redis does not answer " + command));
        }
    }

    String address() {
        return "redis://127.0.0.1:" + port;
    }

    @Override
    public void close() throws IOException, InterruptedException {
        shell.getOutputStream().close();
        if (!shell.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IOException("redis-server is still running, as process " + pid);
        }
    }
}
