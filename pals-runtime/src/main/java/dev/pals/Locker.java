package dev.pals;

import dev.pals.internal.gate.Gates;
import dev.pals.internal.sql.LockOrder;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockUse;
import dev.pals.lock.WaitPolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;

/**
 * Takes distributed locks for one application on one PostgreSQL database. Keep one open for as long as the application
 * runs.
 *
 * <pre>{@code
 * try (Locker locker = Locker.create("billing", "jdbc:postgresql://localhost/app?user=app&password=secret")) {
 *     locker.exclusive(BillingLockKeys.INVOICE_RUN).run(() -> runInvoices());
 * }
 * }</pre>
 *
 * <p>The locks are PostgreSQL's session-level advisory locks: they end with {@link dev.pals.lock.LockHandle#close()},
 * and also when the program or its connection dies. A second request for a held key waits or fails, also in the same
 * thread. Thread-safe.
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory locks</a>
 */
public final class Locker implements AutoCloseable {
    private final String app;
    private final WaitPolicy defaultWait;
    private final Gates gates;

    Locker(String app, WaitPolicy defaultWait, Gates gates) {
        this.app = app;
        this.defaultWait = defaultWait;
        this.gates = gates;
    }

    /**
     * Opens a locker with a HikariCP pool of its own and default settings; see {@link LockerBuilder#build()}.
     *
     * @param app the application's name, which keeps its lock names apart from those of others
     * @param jdbcUrl such as {@code jdbc:postgresql://host/db?user=app&password=secret}
     */
    public static Locker create(String app, String jdbcUrl) {
        return builder(app).url(jdbcUrl).build();
    }

    /**
     * Opens a locker on connections of a data source of yours, with default settings; see
     * {@link LockerBuilder#build()}. The data source stays open when the locker is closed.
     *
     * @param app the application's name, which keeps its lock names apart from those of others
     */
    public static Locker create(String app, DataSource dataSource) {
        return builder(app).dataSource(dataSource).build();
    }

    /**
     * Starts the settings of a locker.
     *
     * @throws dev.pals.key.InvalidLockNameException if the application's name is null, blank, has a NUL character or is
     *     no valid Unicode
     */
    public static LockerBuilder builder(String app) {
        return new LockerBuilder(app);
    }

    /** The application's name. */
    public String app() {
        return app;
    }

    /**
     * Returns the key of a lock of this application by a plain name. No round trip.
     *
     * @throws dev.pals.key.InvalidLockNameException if the name is null, blank, has a NUL character or is no valid
     *     Unicode
     */
    public LockKey key(String name) {
        return LockKey.of(app, name);
    }

    /**
     * Starts a request for locks that tolerate no other holder. Several keys are taken all or none, in one order
     * everywhere; so are a key and its {@linkplain LockKey#formerly() former} one.
     */
    public LockRequest exclusive(LockKey key, LockKey... more) {
        return request(LockMode.EXCLUSIVE, key, more);
    }

    /** As {@link #exclusive(LockKey, LockKey...)}, for at least one key. */
    public LockRequest exclusive(Collection<LockKey> keys) {
        return request(LockMode.EXCLUSIVE, keys);
    }

    /**
     * Starts a request for locks that tolerate other shared holders. Several keys are taken all or none, in one order
     * everywhere; so are a key and its {@linkplain LockKey#formerly() former} one.
     */
    public LockRequest shared(LockKey key, LockKey... more) {
        return request(LockMode.SHARED, key, more);
    }

    /** As {@link #shared(LockKey, LockKey...)}, for at least one key. */
    public LockRequest shared(Collection<LockKey> keys) {
        return request(LockMode.SHARED, keys);
    }

    private LockRequest request(LockMode mode, LockKey key, LockKey... more) {
        List<LockKey> keys = new ArrayList<>(1 + more.length);
        keys.add(key);
        Collections.addAll(keys, more);
        return request(mode, keys);
    }

    private LockRequest request(LockMode mode, Collection<LockKey> keys) {
        return new LockRequest(gates, LockOrder.of(keys), mode, defaultWait, null, false);
    }

    /**
     * Whether any program holds the lock in PostgreSQL at this moment, exclusively or shared, also under its
     * {@linkplain LockKey#formerly() former} name. By the time that this returns it may have changed: to have the lock,
     * take it. One round trip, and a look at the server's whole table of locks, which takes milliseconds where
     * thousands are held: nothing for a tight loop.
     *
     * @throws dev.pals.lock.LockException if it could not be found out
     * @see <a href="https://www.postgresql.org/docs/current/view-pg-locks.html">pg_locks</a>
     */
    public boolean isLocked(LockKey key) {
        return gates.isLocked(Objects.requireNonNull(key, "key"))
                || key.formerly().filter(gates::isLocked).isPresent();
    }

    /**
     * Which threads of this program have locks of this locker or wait for them, and where they asked: what no view of
     * the database can show. The locks of a key stand together, its holders before those that wait, in the order in
     * which they will have it. No round trip; the list is a copy, and each key's part of it one moment's truth.
     *
     * @see dev.pals.diagnostics.LockDiagnostics
     */
    public List<LockUse> uses() {
        return gates.uses();
    }

    /**
     * Frees every lock of this locker, ends the requests that wait with a {@link dev.pals.lock.LockerClosedException},
     * and closes the pool if it is the locker's own. Idempotent.
     */
    @Override
    public void close() {
        gates.close();
    }

    @Override
    public String toString() {
        return LockerBuilder.named(app);
    }
}
