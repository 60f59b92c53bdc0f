package dev.pals.internal.registry;

import static dev.pals.db.jooq.pals.Tables.LOCK_NAME;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.excluded;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;

import dev.pals.db.jooq.pals.tables.records.LockNameRecord;
import dev.pals.internal.sql.SqlState;
import dev.pals.key.LockCatalog;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockNameCollisionException;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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

    private static final int PATIENCE_MILLIS = 5_000;

    private final String locker;

    /** Makes one for a locker of this name. */
    public NameRegistry(String locker) {
        this.locker = locker;
    }

    /** A row of the table, as it is or as it is wanted. */
    private record Named(long hash, long appHash, @Nullable String app, String name, boolean numericFamily) {
        static final int ID_BITS = 40;

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

        /** Whether it is the same lock, though perhaps of another kind by now. */
        boolean isCalledAs(Named other) {
            return name.equals(other.name) && Objects.equals(app, other.app);
        }

        /** A family reaches every key of its own block, by ids from -2^40 to 2^40, and none of another. */
        long block() {
            long high = hash >> ID_BITS;
            return high < 0 ? ~high : high;
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
     * Enters the names that are not there yet: one statement where all are, which changes nothing. Safe from many
     * processes at once. Where the schema is missing, closed to this role or locked by another session, locking works
     * all the same, so this only says so.
     *
     * @throws LockNameCollisionException if a lock is registered already that PostgreSQL would take for one of these;
     *     none is entered then
     */
    public void register(Connection connection) {
        Map<Long, Named> wanted = wanted();
        if (wanted.isEmpty()) {
            return;
        }
        DSLContext dsl = DSL.using(connection, SQLDialect.POSTGRES);
        try {
            if (!missing(dsl, wanted).isEmpty()) {
                dsl.transaction(trx -> enter(trx.dsl(), wanted));
            }
        } catch (DataAccessException e) {
            sayWhyUnnamed(e);
        }
    }

    private Map<Long, Named> wanted() {
        Map<Long, Named> wanted = new LinkedHashMap<>();
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

    /**
     * Those that are not there, or there as what they no longer are: a lock that has become a family, or the reverse.
     */
    private List<Named> missing(DSLContext dsl, Map<Long, Named> wanted) {
        Map<Long, Named> missing = new LinkedHashMap<>(wanted);
        dsl.selectFrom(LOCK_NAME)
                .where(LOCK_NAME.LOCK_HASH.eq(any(wanted.keySet().toArray(Long[]::new))))
                .forEach(row -> {
                    Named there = Named.of(row);
                    Named ours = Objects.requireNonNull(wanted.get(there.hash()));
                    if (!there.isCalledAs(ours)) {
                        throw new LockNameCollisionException(locker, ours.toString(), there.toString());
                    }
                    missing.computeIfPresent(
                            there.hash(),
                            (hash, named) -> named.numericFamily() == there.numericFamily() ? null : named);
                });
        return List.copyOf(missing.values());
    }

    private void enter(DSLContext dsl, Map<Long, Named> wanted) {
        // Names are not worth a start that hangs behind somebody's transaction.
        dsl.setLocal(name("lock_timeout"), inline(PATIENCE_MILLIS)).execute();
        // Two programs that enter names at the same time would each miss those of the other.
        dsl.execute("lock table {0} in share row exclusive mode", LOCK_NAME);
        List<Named> added = missing(dsl, wanted);
        if (added.isEmpty()) {
            return;
        }
        dsl.insertInto(
                        LOCK_NAME,
                        LOCK_NAME.LOCK_HASH,
                        LOCK_NAME.APP_HASH,
                        LOCK_NAME.APP,
                        LOCK_NAME.NAME,
                        LOCK_NAME.NUMERIC_FAMILY)
                .valuesOfRows(added.stream().map(Named::row).toList())
                .onConflict(LOCK_NAME.LOCK_HASH)
                .doUpdate()
                .set(LOCK_NAME.NUMERIC_FAMILY, excluded(LOCK_NAME.NUMERIC_FAMILY))
                .execute();
        checkReach(dsl, added);
    }

    /**
     * The compiler has seen to it that no family of one application reaches another lock of it; here it is all of them.
     */
    private void checkReach(DSLContext dsl, List<Named> added) {
        Map<Long, List<Named>> byBlock = added.stream().collect(Collectors.groupingBy(Named::block));
        Long[] blocks = byBlock.keySet().stream()
                .flatMap(block -> Stream.of(block, ~block))
                .toArray(Long[]::new);
        dsl.selectFrom(LOCK_NAME)
                .where(LOCK_NAME.LOCK_HASH.shr(inline(Named.ID_BITS)).eq(any(blocks)))
                .forEach(row -> {
                    Named there = Named.of(row);
                    for (Named ours : byBlock.getOrDefault(there.block(), List.of())) {
                        if (ours.hash() != there.hash() && (ours.numericFamily() || there.numericFamily())) {
                            throw new LockNameCollisionException(locker, ours.toString(), there.toString());
                        }
                    }
                });
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
        } else if (SqlState.anyOf(e.sqlState(), SqlState.INSUFFICIENT_PRIVILEGE)) {
            LOG.warn(
                    "{}: this role may not use pals.lock_name (SQLSTATE {}), so new lock names are not shown. Grant it usage on schema pals, and select, insert, update on pals.lock_name.",
                    locker,
                    e.sqlState());
        } else if (SqlState.anyOf(e.sqlState(), SqlState.READ_ONLY)) {
            LOG.warn(
                    "{}: pals.lock_name cannot be written (SQLSTATE {}), so new lock names are not shown.",
                    locker,
                    e.sqlState());
        } else if (SqlState.anyOf(e.sqlState(), SqlState.LOCK_NOT_AVAILABLE, SqlState.QUERY_CANCELED)) {
            LOG.warn(
                    "{}: another session keeps pals.lock_name locked (SQLSTATE {}), so new lock names are neither shown nor compared with those of others.",
                    locker,
                    e.sqlState());
        } else {
            throw new LockDatabaseException(locker + ": the lock names could not be registered: " + e.getMessage(), e);
        }
    }
}
