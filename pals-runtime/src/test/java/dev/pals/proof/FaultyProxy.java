package dev.pals.proof;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/** A network between a program and PostgreSQL that can be slow, be cut, or drop in silence what one end sends. */
final class FaultyProxy implements AutoCloseable {
    private final ServerSocket server;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private volatile InetSocketAddress target;
    private volatile long delayNanos;
    private volatile boolean cutsAnswers;
    private volatile boolean dropsRequests;
    private volatile boolean dropsAnswers;
    /** How many messages were held up, cut off or dropped since all was well. */
    private int hits;

    FaultyProxy(int targetPort) {
        target = new InetSocketAddress(InetAddress.getLoopbackAddress(), targetPort);
        try {
            server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    /** New connections lead to another server; those that are there are cut. */
    void leadTo(int port) {
        target = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        cut();
    }

    /** The ports from which it has connected to PostgreSQL, for those that are still connected on both ends. */
    Set<Integer> openPorts() {
        return links.stream().map(link -> link.postgres.getLocalPort()).collect(Collectors.toSet());
    }

    void delay(Duration delay) {
        delayNanos = delay.toNanos();
    }

    /** Cuts all connections, and says how many. */
    int cut() {
        return (int) links.stream().filter(Link::close).count();
    }

    /** From now on PostgreSQL does what it is asked, and its answer cuts the connection instead of being heard. */
    void cutWithTheNextAnswer() {
        cutsAnswers = true;
    }

    /** From now on neither end hears of the other, or only one does; connections stay open. */
    void silence(boolean requests, boolean answers) {
        dropsRequests = requests;
        dropsAnswers = answers;
    }

    /**
     * All is well again, for new connections; those that have missed something are cut. Says how many messages were
     * hit.
     */
    synchronized int heal() {
        delayNanos = 0;
        cutsAnswers = false;
        dropsRequests = false;
        dropsAnswers = false;
        links.stream().filter(link -> link.hasDropped).forEach(Link::close);
        int hit = hits;
        hits = 0;
        return hit;
    }

    /** Decided at once with the count, so that none is hit that {@link #heal} does not count. */
    private synchronized Treatment treatment(Link link, boolean answer) {
        Treatment treatment = answer && cutsAnswers
                ? Treatment.CUT
                : (answer ? dropsAnswers : dropsRequests)
                        ? Treatment.DROPPED
                        : delayNanos > 0 ? Treatment.DELAYED : Treatment.FORWARDED;
        hits += treatment == Treatment.FORWARDED ? 0 : 1;
        link.hasDropped |= treatment == Treatment.DROPPED;
        return treatment;
    }

    private enum Treatment {
        FORWARDED,
        DELAYED,
        DROPPED,
        CUT
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
                Link link = new Link(client);
                links.add(link);
                start(link::connect);
            } catch (IOException e) {
                // It is closed, which is where the loop ends.
            }
        }
    }

    private final class Link {
        private final Socket client;
        private final Socket postgres = new Socket();
        private volatile boolean hasDropped;

        Link(Socket client) {
            this.client = client;
        }

        void connect() {
            try {
                postgres.connect(target);
                client.setTcpNoDelay(true);
                postgres.setTcpNoDelay(true);
            } catch (IOException e) {
                close();
                return;
            }
            start(() -> forward(client, postgres, false));
            forward(postgres, client, true);
        }

        private void forward(Socket from, Socket to, boolean answers) {
            byte[] buffer = new byte[8192];
            try (InputStream input = from.getInputStream();
                    OutputStream output = to.getOutputStream()) {
                for (int read = input.read(buffer); read >= 0; read = input.read(buffer)) {
                    Treatment treatment = treatment(this, answers);
                    if (treatment == Treatment.CUT) {
                        break;
                    }
                    if (treatment == Treatment.DELAYED) {
                        LockSupport.parkNanos(delayNanos);
                    }
                    if (!hasDropped) {
                        output.write(buffer, 0, read);
                    }
                }
                awaitSound();
            } catch (IOException e) {
                awaitSound();
            }
            close();
        }

        /** In a silent network that one end has closed its connection is not heard of either. */
        private void awaitSound() {
            while (dropsRequests || dropsAnswers) {
                LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(5));
            }
        }

        /** Whether it was open. */
        boolean close() {
            boolean wasOpen = links.remove(this);
            try {
                client.close();
                postgres.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return wasOpen;
        }
    }

    @Override
    public void close() {
        try {
            heal();
            server.close();
            cut();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
