-- The names behind the numbers that pg_locks shows.
create table pals.lock_name (
    lock_hash bigint primary key,
    app_hash bigint,
    app text,
    name text not null,
    numeric_family boolean not null default false,
    check ((app is null) = (app_hash is null))
);

comment on table pals.lock_name is 'The lock keys that applications declared, by the number that goes to PostgreSQL.';
comment on column pals.lock_name.lock_hash is 'The advisory lock''s key; for a numeric family the number that is XORed with the id.';
comment on column pals.lock_name.app_hash is 'Groups the keys of one application.';
comment on column pals.lock_name.numeric_family is 'Whether this stands for one lock per numeric id: key = lock_hash # id.';
