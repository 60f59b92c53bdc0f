package dev.pals.db;

import java.io.IOException;
import org.postgresql.ds.PGSimpleDataSource;

/** A process that says when it is ready, and migrates when its standard input says so. */
final class MigrateMain {
    static final char READY = '+';

    private MigrateMain() {}

    public static void main(String[] args) throws IOException {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(System.getenv("MIGRATE_URL"));
        System.out.print(READY);
        System.out.flush();
        if (System.in.read() < 0) {
            System.exit(1);
        }
        PalsSchema.migrate(dataSource);
    }
}
