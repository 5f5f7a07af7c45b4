-- spend_kinds(from, to, zone, grain or null, filters) → what the dollars of a period, or of each of its bars, were paid for
--
-- kind: a kind of app.cost_kinds (input, cached, cache_write, output, reasoning, audio, image, tools, region) or other: corrections
-- and calls whose cost has no lines. They add up to the cost exactly. place: the order in which they are shown. bar: see app.bars.
create or replace function app.spend_kinds(p_from timestamptz, p_to timestamptz, p_zone text, p_grain text, p_filters jsonb)
returns table (bar timestamptz, place integer, kind text, cost numeric)
language sql stable
set search_path = ''
as $$
    select s.bar, k.place, k.kind, k.cost
    from app.sums(p_from, p_to, array['kind'] || case when p_grain is not null then array[p_grain] else '{}' end, p_filters, p_zone, null,
        '{calls,cost}') s
    cross join lateral (values
        (1, 'input', s.cost_input), (2, 'cached', s.cost_cached), (3, 'cache_write', s.cost_cache_write), (4, 'output', s.cost_output),
        (5, 'reasoning', s.cost_reasoning), (6, 'audio', s.cost_audio), (7, 'image', s.cost_image), (8, 'tools', s.cost_tools),
        (9, 'region', s.cost_region),
        (10, 'other', s.cost - s.cost_input - s.cost_cached - s.cost_cache_write - s.cost_output - s.cost_reasoning - s.cost_audio
            - s.cost_image - s.cost_tools - s.cost_region)) as k (place, kind, cost)
    where k.cost <> 0
    order by s.bar, k.place
$$;

comment on function app.spend_kinds is 'Dollars of a period by what they were paid for: input, cached, output, reasoning, …';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.spend_kinds from public, anon, authenticated, service_role;
grant execute on function app.spend_kinds to authenticated;
