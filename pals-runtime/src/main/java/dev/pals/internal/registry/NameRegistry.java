package dev.pals.internal.registry;

import static dev.pals.db.jooq.pals.Tables.LOCK_NAME;
import static org.jooq.impl.DSL.excluded;
import static org.jooq.impl.DSL.not;
import static org.jooq.impl.DSL.when;

import dev.pals.db.jooq.pals.tables.records.LockNameRecord;
import dev.pals.internal.sql.SqlState;
import dev.pals.key.LockCatalog;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockNameCollisionException;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Row5;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;
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

    /** A row of the table, as it is or as it is wanted. */
    private record Named(long hash, long appHash, @Nullable String app, String name, boolean numericFamily) {
        static Named of(LockKey key) {
            return new Named(key.lockHash(), key.appHash(), key.app().orElse(null), key.name(), false);
        }

        static Named of(LockFamily<?> family) {
            return new Named(family.familyHash(), family.appHash(), family.app(), family.name(), true);
        }

        static Named of(LockNameRecord row) {
            // No hash of the application where there is none.
            Long appHash = row.getAppHash();
            return new Named(
                    row.getLockHash(),
                    appHash == null ? 0 : appHash,
                    row.getApp(),
                    row.getName(),
                    row.getNumericFamily());
        }

        Row5<Long, Long, String, String, Boolean> row() {
            return DSL.row(hash, appHash, app, name, numericFamily);
        }

        @Override
        public String toString() {
            return "\"" + (app == null ? "" : app + ".") + name + (numericFamily ? ":*" : "") + "\"";
        }
    }

    /**
     * Enters the names that are not there yet, in one statement, which changes nothing where all are there; safe from
     * many processes at once. Where the schema is missing or closed to this role, locking works all the same, so this
     * only says so.
     *
     * @throws LockNameCollisionException if a lock is registered already that PostgreSQL would take for one of these;
     *     none is entered then
     */
    public void register(Connection connection) {
        // Ascending: two processes that insert the same keys in different orders would deadlock.
        SortedMap<Long, Named> wanted = wanted();
        if (wanted.isEmpty()) {
            return;
        }
        try {
            DSL.using(connection, SQLDialect.POSTGRES).transaction(trx -> enter(trx.dsl(), wanted));
        } catch (DataAccessException e) {
            sayWhyUnnamed(e);
        }
    }

    private SortedMap<Long, Named> wanted() {
        SortedMap<Long, Named> wanted = new TreeMap<>();
        for (LockCatalog catalog : catalogs()) {
            catalog.keys().forEach(key -> {
                wanted.put(key.lockHash(), Named.of(key));
                key.formerly().ifPresent(former -> wanted.put(former.lockHash(), Named.of(former)));
            });
            // The keys of the others are hashes, which no view can lead back to their family.
            catalog.families().stream().filter(LockFamily::isNumeric).forEach(family -> {
                wanted.put(family.familyHash(), Named.of(family));
                family.formerly().ifPresent(former -> wanted.put(former.familyHash(), Named.of(former)));
            });
        }
        return wanted;
    }

    private void enter(DSLContext dsl, SortedMap<Long, Named> wanted) {
        for (Named there : written(dsl, wanted.values())) {
            Named ours = Objects.requireNonNull(wanted.get(there.hash()));
            if (!there.name().equals(ours.name()) || !Objects.equals(there.app(), ours.app())) {
                throw new LockNameCollisionException(locker, ours.toString(), there.toString());
            }
        }
    }

    /**
     * Those that were not there, and those that are there under another name, as they stand. An update that changes
     * nothing gets hold of a row also where another process has entered it a moment ago. A lock that has become a
     * family, or the other way round, is still the same.
     */
    private static List<Named> written(DSLContext dsl, Collection<Named> wanted) {
        Condition sameName = LOCK_NAME
                .NAME
                .eq(excluded(LOCK_NAME.NAME))
                .and(LOCK_NAME.APP.isNotDistinctFrom(excluded(LOCK_NAME.APP)));
        return dsl.insertInto(
                        LOCK_NAME,
                        LOCK_NAME.LOCK_HASH,
                        LOCK_NAME.APP_HASH,
                        LOCK_NAME.APP,
                        LOCK_NAME.NAME,
                        LOCK_NAME.NUMERIC_FAMILY)
                .valuesOfRows(wanted.stream().map(Named::row).toList())
                .onConflict(LOCK_NAME.LOCK_HASH)
                .doUpdate()
                .set(
                        LOCK_NAME.NUMERIC_FAMILY,
                        when(sameName, excluded(LOCK_NAME.NUMERIC_FAMILY)).otherwise(LOCK_NAME.NUMERIC_FAMILY))
                .where(not(sameName).or(LOCK_NAME.NUMERIC_FAMILY.ne(excluded(LOCK_NAME.NUMERIC_FAMILY))))
                .returning()
                .fetch(Named::of);
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
