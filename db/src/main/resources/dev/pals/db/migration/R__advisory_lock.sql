-- Who holds and who waits, by name, in the current database.
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
    n.app,
    case when n.numeric_family then n.name || ':' || (a.lock_key # n.lock_hash) else n.name end as name,
    a.lock_key,
    case a.objsubid when 1 then 'bigint' else 'two integers' end as key_space,
    case a.mode when 'ExclusiveLock' then 'exclusive' else 'shared' end as mode,
    a.granted,
    a.pid,
    s.usename::text as user_name,
    s.application_name,
    s.client_addr::text as client_address,
    a.waitstart as waiting_since,
    case when a.granted then array[]::integer[] else pg_catalog.pg_blocking_pids(a.pid) end as blocked_by
from advisory a
left join pg_catalog.pg_stat_activity s on s.pid = a.pid
left join lateral (
    select k.app, k.name, k.lock_hash, k.numeric_family
    from pals.lock_name k
    where a.objsubid = 1
      and (k.lock_hash = a.lock_key
           -- The ids of a family are those with |id| < 2^40.
           or (k.numeric_family and (a.lock_key # k.lock_hash) between -1099511627775 and 1099511627775))
    -- A plain name that is exactly this key comes before a family that could reach it.
    order by k.numeric_family
    limit 1
) n on true;

comment on view pals.advisory_lock is 'One row for each advisory lock that is held or waited for in this database, with its name where it is registered in pals.lock_name.';
comment on column pals.advisory_lock.name is 'The lock''s name; name:id for a lock of a numeric family; null where no application registered it.';
comment on column pals.advisory_lock.lock_key is 'The key as one bigint; for two integers the first is the high half.';
comment on column pals.advisory_lock.waiting_since is 'When the wait began; null for a lock that is held.';
comment on column pals.advisory_lock.blocked_by is 'The server processes that this one waits for; empty for a lock that is held.';
