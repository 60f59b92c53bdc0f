package dev.pals;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A network between a program and PostgreSQL that reads along: every SQL text that is sent, whoever sends it.
 *
 * @see <a href="https://www.postgresql.org/docs/current/protocol-message-formats.html">Message formats</a>
 */
final class WireTap extends Relay {
    private final List<String> sql = new CopyOnWriteArrayList<>();
    private final List<String> startups = new CopyOnWriteArrayList<>();

    /** Makes one in front of the server of a JDBC URL. */
    WireTap(String jdbcUrl) {
        super(jdbcUrl);
        open();
    }

    /** The URL that leads through it, unencrypted. */
    @Override
    String url() {
        return TestDatabase.urlWith(super.url(), "sslmode=disable&gssEncMode=disable");
    }

    /** The texts of simple queries and of statements that were prepared, in the order in which they came. */
    List<String> sql() {
        return sql;
    }

    /** What was said at the beginning of each connection, outside of any SQL. */
    List<String> startups() {
        return startups;
    }

    @Override
    void carry(Socket from, Socket to, boolean requests) throws IOException {
        if (requests) {
            carryMessages(new DataInputStream(from.getInputStream()), to.getOutputStream());
        } else {
            from.getInputStream().transferTo(to.getOutputStream());
        }
    }

    private void carryMessages(DataInputStream input, OutputStream output) throws IOException {
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
}
