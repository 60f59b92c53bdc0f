package dev.pals.internal.registry;

import static dev.pals.db.jooq.pals.Tables.LOCK_NAME;

import dev.pals.internal.sql.SqlState;
import dev.pals.key.LockCatalog;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jooq.Row5;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Enters the keys of every {@link LockCatalog} on the class path into {@code pals.lock_name}, so that the audit view
 * shows names.
 */
public final class NameRegistry {
    private static final Logger LOG = LoggerFactory.getLogger(NameRegistry.class);

    private final String locker;

    /** Makes one for a locker of this name. */
    public NameRegistry(String locker) {
        this.locker = locker;
    }

    /**
     * Enters the names that are not there yet, in one statement; safe from many processes at once. Where the schema is
     * missing or closed to this role, locking works all the same, so this only says so.
     */
    public void register(Connection connection) {
        // Ascending: two processes that insert the same keys in different orders would deadlock.
        SortedMap<Long, Row5<Long, Long, String, String, Boolean>> rows = new TreeMap<>();
        for (LockCatalog catalog : catalogs()) {
            catalog.keys().forEach(key -> {
                rows.put(key.lockHash(), row(key));
                key.formerly().ifPresent(former -> rows.put(former.lockHash(), row(former)));
            });
            // The keys of the others are hashes, which no view can lead back to their family.
            catalog.families().stream().filter(LockFamily::isNumeric).forEach(family -> {
                rows.put(family.familyHash(), row(family));
                family.formerly().ifPresent(former -> rows.put(former.familyHash(), row(former)));
            });
        }
        if (rows.isEmpty()) {
            return;
        }
        try {
            DSL.using(connection, SQLDialect.POSTGRES)
                    .insertInto(
                            LOCK_NAME,
                            LOCK_NAME.LOCK_HASH,
                            LOCK_NAME.APP_HASH,
                            LOCK_NAME.APP,
                            LOCK_NAME.NAME,
                            LOCK_NAME.NUMERIC_FAMILY)
                    .valuesOfRows(rows.values())
                    .onConflictDoNothing()
                    .execute();
        } catch (DataAccessException e) {
            sayWhyUnnamed(e);
        }
    }

    /** Those that can be loaded: a build that is not clean can leave an entry of a class that is gone. */
    private List<LockCatalog> catalogs() {
        List<LockCatalog> catalogs = new ArrayList<>();
        Iterator<LockCatalog> entries = ServiceLoader.load(LockCatalog.class).iterator();
        while (true) {
            try {
                if (!entries.hasNext()) {
                    return catalogs;
                }
                catalogs.add(entries.next());
            } catch (ServiceConfigurationError e) {
                LOG.warn("{}: a lock catalog could not be loaded, so its names are not shown: build anew", locker, e);
            }
        }
    }

    private static Row5<Long, Long, String, String, Boolean> row(LockKey key) {
        return DSL.row(key.lockHash(), key.appHash(), key.app().orElse(null), key.name(), false);
    }

    private static Row5<Long, Long, String, String, Boolean> row(LockFamily<?> family) {
        return DSL.row(family.familyHash(), family.appHash(), family.app(), family.name(), true);
    }

    private void sayWhyUnnamed(DataAccessException e) {
        if (SqlState.anyOf(e.sqlState(), SqlState.UNDEFINED_TABLE, SqlState.INVALID_SCHEMA_NAME)) {
            LOG.info(
                    "{}: schema pals is not installed, so the audit view shows no names. PalsSchema.migrate(dataSource) installs it.",
                    locker);
        } else if (SqlState.anyOf(e.sqlState(), SqlState.INSUFFICIENT_PRIVILEGE, SqlState.READ_ONLY)) {
            LOG.warn(
                    "{}: this role may not write pals.lock_name (SQLSTATE {}), so new lock names are not shown.",
                    locker,
                    e.sqlState());
        } else {
            throw new LockDatabaseException(locker + ": the lock names could not be registered: " + e.getMessage(), e);
        }
    }
}
