-- A value for each lock that is taken exclusively. The steps leave room for the program to hand the lock on to its own
-- threads, with value + 1, value + 2 and so on, without a round trip. With a larger cache, sessions would get values
-- out of order.
-- https://www.postgresql.org/docs/current/sql-createsequence.html
create sequence pals.fencing_token as bigint increment by 1024 minvalue 1 start with 1 cache 1 no cycle;

comment on sequence pals.fencing_token is 'Fencing tokens: a lock that is taken exclusively gets the next value, and the threads of its program those up to value + 1023.';

-- What guarded writes have shown.
create table pals.fence (
    lock_hash bigint primary key,
    token bigint not null
);

comment on table pals.fence is 'The newest fencing token of each lock whose guarded writes check it. Who deletes a row lets stale holders write again.';
comment on column pals.fence.lock_hash is 'The advisory lock''s key, as in pg_locks.';
comment on column pals.fence.token is 'The newest token that a guarded write has shown; an older one is refused.';
