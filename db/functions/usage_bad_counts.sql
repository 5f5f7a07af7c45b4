-- usage_bad_counts(usage) → a sentence for each count of a usage object that is no count, and each details that are no object
create or replace function app.usage_bad_counts(p_usage jsonb) returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
    with recursive members (path, name, value, depth) as (
        select e.key, e.key, e.value, 1
        from jsonb_each(case jsonb_typeof(p_usage) when 'object' then p_usage else '{}' end) as e
        union all
        select m.path || '.' || e.key, e.key, e.value, m.depth + 1
        from members as m
        cross join lateral jsonb_each(case jsonb_typeof(m.value) when 'object' then m.value else '{}' end) as e
        where m.depth < 3 and m.name ~ '^[a-z_]{1,40}_details$'
    )
    select array(
        select case
            when m.name ~ '_details$' then format('%s (%s) is no object', m.path, left(m.value #>> '{}', 40))
            when c.n = 'NaN' then format('%s (%s) is no count', m.path, left(m.value #>> '{}', 40))
            else format('%s (%s) is no whole number', m.path, left(m.value #>> '{}', 40)) end
        from members as m cross join lateral app.price_count(m.value) as c (n)
        where m.name ~ '^[a-z_0-9]{1,40}$' and (
            (m.name ~ '_details$' and jsonb_typeof(m.value) not in ('object', 'null'))
            or (m.name ~ '(_tokens|^seconds|_seconds|^characters|^images)$' and c.n = 'NaN')
            or (m.name ~ '_tokens$' and scale(c.n) > 0))
        order by m.path)
$$;

comment on function app.usage_bad_counts is 'Counts of a usage object that are no counts, as sentences.';
revoke execute on function app.usage_bad_counts from public, anon, authenticated, service_role;
grant execute on function app.usage_bad_counts to authenticated;
