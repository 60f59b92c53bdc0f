package dev.pals.codegen;

import java.util.List;
import java.util.Optional;

/**
 * The keys that other tools take on a PostgreSQL which they share with us, in the key space of one bigint. Each is
 * cited with the file it was read in, in the repository of that name.
 *
 * <p>Not here, since they cannot meet our keys: Liquibase's extension liquibase-sessionlock (two integers, PostgreSQL's
 * other key space; {@code PGLockService.java} of blagerweij/liquibase-sessionlock), and Liquibase itself, Knex, TypeORM
 * and Alembic, which take no advisory locks. Nor are those that hash a text to 64 bits as we do, such as GoodJob,
 * pg-boss and River: which number they take is not known before.
 */
enum ForeignKeys {
    /** 0x466C79776179 plus the 32-bit hash code of its table; flyway/flyway, PostgreSQLAdvisoryLockTemplate.java. */
    FLYWAY("Flyway", 77_429_560_795_513L, 77_433_855_762_808L),
    /** prisma/prisma-engines, sql-schema-connector/src/flavour/postgres.rs. */
    PRISMA("Prisma Migrate", 72_707_369L),
    /** CRC-32 or CRC-64 of its name, by version; pressly/goose, lock/session_locker_options.go. */
    GOOSE("goose", 4_097_083_626L),
    GOOSE_CRC_64("goose", 5_887_940_537_704_921_958L),
    /** salsita/node-pg-migrate, src/runner.ts. */
    NODE_PG_MIGRATE("node-pg-migrate", 7_241_865_325_823_964L),
    /** graphile/migrate, src/pgReal.ts. */
    GRAPHILE_MIGRATE("graphile-migrate", 4_727_445_306_447_283L),
    /** jackc/tern, migrate/migrate.go. */
    TERN("tern", 9_628_173_550_095_224L),
    /** ThomWright/postgres-migrations, with-lock.js of version 5.3.0. */
    POSTGRES_MIGRATIONS("postgres-migrations", -8_525_285_245_963_000_605L),
    /** Kysely's migrator, postgres-adapter.js of version 0.28.18. */
    KYSELY("Kysely", 3_853_314_791_062_309_107L),
    /** A 32-bit checksum times a salt, wrapped to 32 bits; golang-migrate/migrate, database/util.go. */
    GOLANG_MIGRATE("golang-migrate, Atlas, Ecto and others with 32-bit keys", 0, 0xFFFF_FFFFL),
    /** CRC-32 as a signed number; Xof/django-pglocks, django_pglocks/__init__.py. */
    DJANGO_PGLOCKS("django-pglocks", Integer.MIN_VALUE, -1),
    /** The salt times the CRC-32 of the database's name; rails/rails, activerecord/lib/active_record/migration.rb. */
    RAILS("Rails migrations", 0, 2_053_462_845L * 0xFFFF_FFFFL, 2_053_462_845L),
    /** The salt times the CRC-32 of the database's name; launchbadge/sqlx, sqlx-postgres/src/migrate.rs. */
    SQLX("sqlx", 0, 0x3d32ad9eL * 0xFFFF_FFFFL, 0x3d32ad9eL);

    private static final List<ForeignKeys> TOOLS = List.of(values());

    private final String toolName;
    private final long min;
    private final long max;
    private final long step;

    ForeignKeys(String toolName, long key) {
        this(toolName, key, key);
    }

    ForeignKeys(String toolName, long min, long max) {
        this(toolName, min, max, 1);
    }

    ForeignKeys(String toolName, long min, long max, long step) {
        this.toolName = toolName;
        this.min = min;
        this.max = max;
        this.step = step;
    }

    /** The tool that takes this key, or one that a numeric family of this key could reach. */
    static Optional<ForeignKeys> takenOrReached(long key, boolean numericFamily) {
        for (ForeignKeys tool : TOOLS) {
            if (tool.contains(key) || (numericFamily && tool.isReachedBy(key))) {
                return Optional.of(tool);
            }
        }
        return Optional.empty();
    }

    private boolean contains(long key) {
        return min <= key && key <= max && (key - min) % step == 0;
    }

    /**
     * Where the tool takes one of many numbers that lie far apart, every family reaches some of them; which one the
     * tool takes depends on the database's name and is not known here. None of the other ranges is wider than a block.
     */
    private boolean isReachedBy(long family) {
        long block = CollisionCheck.block(family);
        return step == 1 && (block == CollisionCheck.block(min) || block == CollisionCheck.block(max));
    }

    String toolName() {
        return toolName;
    }

    /** The numbers, for messages. */
    String keys() {
        String range = min == max ? Long.toString(min) : min + " to " + max;
        return step == 1 ? range : range + " in steps of " + step;
    }
}
