package dev.pals.proof;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/** Where workers write what is guarded, and what they did. */
final class Schema {
    private static final String TABLES = """
            create schema proof;
            create table proof.counter (key bigint primary key, n bigint not null);
            create table proof.fenced (key bigint primary key, n bigint not null);
            create table proof.event (
                at bigint not null,
                kind text not null,
                worker text not null,
                section text not null,
                key bigint not null,
                mode text not null,
                session text,
                asked bigint not null,
                token bigint not null,
                value bigint not null,
                op text not null,
                note text not null);
            -- A commit takes its time, so that a lock that is released before it does not go unnoticed.
            create function proof.commit_slowly() returns trigger language plpgsql as
                'begin perform pg_sleep(0.002); return null; end';
            create constraint trigger slow_commit after update on proof.counter
                deferrable initially deferred for each row execute function proof.commit_slowly();
            """;

    private Schema() {}

    static void create(String url) {
        execute(url, TABLES);
    }

    /** Counters for these keys, all zero, and no events. */
    static void reset(String url, Iterable<Long> keys) {
        StringBuilder sql = new StringBuilder("truncate proof.counter, proof.fenced, proof.event, pals.fence;");
        for (long key : keys) {
            sql.append("insert into proof.counter values (" + key + ", 0);");
            sql.append("insert into proof.fenced values (" + key + ", 0);");
        }
        execute(url, sql.toString());
    }

    private static void execute(String url, String sql) {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
