-- Who waits for whom: a tree from each session that blocks others and waits for no advisory lock itself.
create or replace view pals.advisory_wait as
with recursive waiting as materialized (
    select l.pid, l.app, l.name, l.lock_key, l.key_space, l.mode, l.waiting_since, l.tool, l.blocked_by
    from pals.advisory_lock l
    where not l.granted
),
ahead as materialized (
    select distinct w.lock_key, w.key_space, w.pid, b.pid as blocked_by
    from waiting w
    cross join lateral unnest(w.blocked_by) as b (pid)
),
-- Whoever stands further ahead in the same queue blocks too; the next one ahead is enough.
edge as materialized (
    select e.pid, e.blocked_by, e.blocked_by = min(e.blocked_by) over (partition by e.pid) as is_first
    from (
        select a.lock_key, a.key_space, a.pid, a.blocked_by from ahead a
        except
        select a.lock_key, a.key_space, a.pid, further.blocked_by
        from ahead a
        join ahead further
            on further.lock_key = a.lock_key and further.key_space = a.key_space and further.pid = a.blocked_by
    ) e
),
-- Who waits behind several stands under each of them, but who waits behind that one only once: else readers that wait
-- beside each other would double what is behind them, again and again.
tree as (
    select
        distinct e.blocked_by as root_pid,
        e.blocked_by as pid,
        null::integer as blocked_by,
        array[e.blocked_by] as path,
        true as is_first
    from edge e
    where e.blocked_by not in (select w.pid from waiting w)
    union all
    select t.root_pid, e.pid, t.pid, t.path || e.pid, e.is_first
    from tree t
    join edge e on e.blocked_by = t.pid
    where t.is_first and e.pid <> all (t.path)
)
select
    t.root_pid,
    cardinality(t.path) - 1 as depth,
    t.pid,
    t.blocked_by,
    w.app,
    w.name,
    w.lock_key,
    w.key_space,
    w.mode,
    w.waiting_since,
    w.tool,
    s.usename::text as user_name,
    s.application_name,
    s.client_addr::text as client_address,
    s.state,
    t.path
from tree t
left join waiting w on w.pid = t.pid
left join pg_catalog.pg_stat_activity s on s.pid = t.pid;

comment on view pals.advisory_wait is 'Who waits for whose advisory lock, as a tree: order by path. A session that waits for several appears under each of them, and who waits for that one under the first of these, by process.';
comment on column pals.advisory_wait.root_pid is 'The server process that blocks all of its tree and waits for no advisory lock itself.';
comment on column pals.advisory_wait.depth is '0 for the root.';
comment on column pals.advisory_wait.blocked_by is 'The server process right ahead; null for the root.';
comment on column pals.advisory_wait.name is 'The name of the lock that is waited for; null for the root, and for a lock that no application registered.';
comment on column pals.advisory_wait.path is 'The server processes from the root to this one.';
