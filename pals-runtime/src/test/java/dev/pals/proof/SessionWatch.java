package dev.pals.proof;

import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Looks forty times a second which lock sessions of workers live. */
final class SessionWatch implements AutoCloseable {
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(25);

    private static final String LOOK = """
            with now as materialized (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as at)
            select now.at, s.session, s.application_name
            from now left join lateral (
                select pid || '/' || (extract(epoch from backend_start) * 1000000)::bigint as session, application_name
                from pg_stat_activity
                where now.at > 0 and application_name like 'proof-%' and state is not null) s on true
            """;

    private final Control control;
    private final Thread thread;
    private Looks looks = new Looks();
    private volatile boolean closed;

    SessionWatch(String url) {
        control = new Control(url);
        thread = new Thread(this::watch, "session watch");
        thread.setDaemon(true);
        thread.start();
    }

    private record Seen(long at, String session, String worker) {}

    private void watch() {
        while (!closed) {
            try {
                look();
            } catch (SQLException e) {
                // The server is away; so are its sessions, which the next look will show.
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        control.close();
    }

    private void look() throws SQLException {
        List<Seen> seen = control.once(open -> Control.rows(
                open,
                row -> new Seen(
                        row.getLong(1),
                        String.valueOf(row.getString(2)),
                        String.valueOf(row.getString(3)).replaceFirst("^proof-", "")),
                LOOK));
        long end = Journal.now();
        synchronized (this) {
            looks.times().put(seen.get(0).at(), end);
            seen.forEach(each -> looks.saw(each.session(), each.worker(), each.at()));
        }
    }

    /** What was seen since this was last called. */
    synchronized Looks take() {
        Looks taken = looks;
        looks = new Looks();
        return taken;
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        thread.join();
    }
}
