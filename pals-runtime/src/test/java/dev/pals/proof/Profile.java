package dev.pals.proof;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.pals.Locker;
import dev.pals.LockerBuilder;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How a worker sets up its locker. All have fencing tokens, and notice within 4 seconds that a server is silent. */
enum Profile {
    /** Some connections. */
    PLAIN("") {
        @Override
        LockerBuilder more(LockerBuilder builder) {
            return builder.maxSessions(6);
        }
    },
    /** One for everything. */
    NARROW("") {
        @Override
        LockerBuilder more(LockerBuilder builder) {
            return builder.maxSessions(1);
        }
    },
    /** PostgreSQL ends its sessions when it hangs. */
    LEASED("") {
        @Override
        LockerBuilder more(LockerBuilder builder) {
            return builder.maxSessions(6).lease(LEASE);
        }
    },
    /** A pool of its own that is smaller than what the locker would use; nobody waits for long on its connections. */
    POOLED("&options=-c%20lock_timeout=300") {
        @Override
        LockerBuilder more(LockerBuilder builder) {
            return builder.maxSessions(10);
        }

        @Override
        HikariDataSource pool(String url) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(url);
            config.setMaximumPoolSize(3);
            config.setMinimumIdle(0);
            config.setConnectionTimeout(250);
            return new HikariDataSource(config);
        }
    },
    /** Its statements are cancelled when they take long, also while they wait for a lock. */
    TIMED("&options=-c%20statement_timeout=300") {
        @Override
        LockerBuilder more(LockerBuilder builder) {
            return builder.maxSessions(6);
        }
    };

    static final Duration LEASE = Duration.ofSeconds(3);
    private static final Duration ORPHAN_TIME = Duration.ofSeconds(4);

    private final String parameter;

    Profile(String parameter) {
        this.parameter = parameter;
    }

    abstract LockerBuilder more(LockerBuilder builder);

    /** The pool that the locker is to use, if it is not one of its own. */
    @Nullable
    HikariDataSource pool(String url) {
        return null;
    }

    String url(String url) {
        return url + parameter;
    }

    Locker open(String url, @Nullable HikariDataSource pool) {
        LockerBuilder builder =
                more(Locker.builder(Worker.APP)).orphanTime(ORPHAN_TIME).fencingTokens();
        return (pool == null ? builder.url(url) : builder.dataSource(pool)).build();
    }
}
