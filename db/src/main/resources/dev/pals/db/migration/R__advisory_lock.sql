-- Who holds and who waits, by name, in the current database. New columns stand at the end: so the view can be replaced,
-- and keeps what was granted on it.
create or replace view pals.advisory_lock as
with advisory as (
    select
        -- objsubid tells the two key spaces apart: 1 for one bigint, 2 for two integers.
        -- https://www.postgresql.org/docs/current/view-pg-locks.html
        (l.classid::bigint << 32) | l.objid::bigint as lock_key,
        l.objsubid,
        l.mode,
        l.granted,
        l.waitstart,
        l.pid
    from pg_catalog.pg_locks l
    where l.locktype = 'advisory'
      and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
)
select
    coalesce(plain.app, family.app) as app,
    coalesce(plain.name, family.name || ':' || (a.lock_key # family.lock_hash)) as name,
    a.lock_key,
    case a.objsubid when 1 then 'bigint' else 'two integers' end as key_space,
    case a.mode when 'ExclusiveLock' then 'exclusive' else 'shared' end as mode,
    a.granted,
    a.pid,
    s.usename::text as user_name,
    s.application_name,
    s.client_addr::text as client_address,
    a.waitstart as waiting_since,
    case when a.granted then array[]::integer[] else pg_catalog.pg_blocking_pids(a.pid) end as blocked_by,
    -- Out of a transaction no lock of one is left. Within one, PostgreSQL does not tell which kind it is.
    case when a.granted and s.state = 'idle' then 'session' end as scope,
    case when a.granted and s.state <> 'active' then s.state_change end as held_at_least_since,
    pg_catalog.clock_timestamp() - s.xact_start as transaction_age,
    tool.name as tool
from advisory a
left join pg_catalog.pg_stat_activity s on s.pid = a.pid
-- A plain name that is exactly this key comes before a family that could reach it.
left join pals.lock_name plain on a.objsubid = 1 and plain.lock_hash = a.lock_key and not plain.numeric_family
left join lateral (
    select k.app, k.name, k.lock_hash
    from pals.lock_name k
    where a.objsubid = 1
      and k.numeric_family
      and k.lock_hash >> 40 in (a.lock_key >> 40, ~(a.lock_key >> 40))
      -- The ids of a family are those with |id| < 2^40.
      and (a.lock_key # k.lock_hash) between -1099511627775 and 1099511627775
    limit 1
) family on plain.lock_hash is null
left join lateral (
    -- The same as pals-codegen refuses, but for those who may take any number of 32 bits.
    select known.name
    from (values
        ('Flyway', 77429560795513, 77433855762808, 1::bigint),
        ('Prisma Migrate', 72707369, 72707369, 1),
        ('goose', 4097083626, 4097083626, 1),
        ('goose', 5887940537704921958, 5887940537704921958, 1),
        ('node-pg-migrate', 7241865325823964, 7241865325823964, 1),
        ('graphile-migrate', 4727445306447283, 4727445306447283, 1),
        ('tern', 9628173550095224, 9628173550095224, 1),
        ('postgres-migrations', -8525285245963000605, -8525285245963000605, 1),
        ('Kysely', 3853314791062309107, 3853314791062309107, 1),
        ('Rails migrations', 0, 8819555760772654275, 2053462845),
        ('sqlx', 0, 4409777878238843490, 1026731422)
    ) as known (name, least, greatest, step)
    where a.objsubid = 1
      -- In this order, since the difference of any two bigints could be out of range.
      and case when a.lock_key between known.least and known.greatest
          then (a.lock_key - known.least) % known.step = 0 end
    limit 1
) tool on plain.lock_hash is null and family.lock_hash is null;

comment on view pals.advisory_lock is 'One row for each advisory lock that is held or waited for in this database, with its name where it is registered in pals.lock_name. A role without pg_read_all_stats sees nulls for what other roles'' sessions do.';
comment on column pals.advisory_lock.name is 'The lock''s name; name:id for a lock of a numeric family; null where no application registered it.';
comment on column pals.advisory_lock.lock_key is 'The key as one bigint; for two integers the first is the high half.';
comment on column pals.advisory_lock.waiting_since is 'When the wait began; null for a lock that is held.';
comment on column pals.advisory_lock.blocked_by is 'The server processes that this one waits for; empty for a lock that is held; 0 stands for a prepared transaction.';
comment on column pals.advisory_lock.scope is 'session where the session is in no transaction, so that the lock outlives them; null where that cannot be known.';
comment on column pals.advisory_lock.held_at_least_since is 'Since when at the latest it is held: the end of the session''s last statement; null while one runs, and for a lock that is waited for.';
comment on column pals.advisory_lock.transaction_age is 'How long the transaction of the session has been open; null where there is none.';
comment on column pals.advisory_lock.tool is 'For a key that nobody registered: the tool that is known to take it.';
