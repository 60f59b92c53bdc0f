package dev.pals.db;

import java.io.IOException;
import org.postgresql.ds.PGSimpleDataSource;

/** A process that migrates when its standard input says so. */
final class MigrateMain {
    private MigrateMain() {}

    public static void main(String[] args) throws IOException {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(System.getenv("MIGRATE_URL"));
        if (System.in.read() < 0) {
            System.exit(1);
        }
        PalsSchema.migrate(dataSource);
    }
}
