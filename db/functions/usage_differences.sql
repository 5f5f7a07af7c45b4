-- usage_differences(usage) → a sentence for each count that a usage object gives twice, under two names and differently
create or replace function app.usage_differences(p_usage jsonb) returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
    with names (half, n, name) as (
        values ('tokens_in', 1, 'prompt_tokens'), ('tokens_in', 2, 'input_tokens'), ('tokens_out', 1, 'completion_tokens'),
            ('tokens_out', 2, 'output_tokens'), ('in', 1, 'prompt_tokens_details'), ('in', 2, 'input_tokens_details'),
            ('in', 3, 'input_token_details'), ('out', 1, 'completion_tokens_details'), ('out', 2, 'output_tokens_details'),
            ('out', 3, 'output_token_details')
    ), said (half, n, path, value) as (
        select s.half || coalesce('.' || m.key, ''), s.n, concat_ws('.', s.name, m.key), coalesce(m.value, p_usage -> s.name)
        from names as s
        left join lateral jsonb_each(case jsonb_typeof(p_usage -> s.name) when 'object' then p_usage -> s.name end) as m on true
        where jsonb_typeof(p_usage) = 'object'
    )
    select array(
        select format('%s (%s) and %s (%s) differ', a.path, left(a.value #>> '{}', 40), b.path, left(b.value #>> '{}', 40))
        from said as a join said as b on b.half = a.half and b.n > a.n
        where app.usage_pick(nullif(a.value, 'null'), nullif(b.value, 'null')) @? '$.** ? (@ == "contradictory")'
        order by a.path, b.path)
$$;

comment on function app.usage_differences is 'Counts that a usage object gives differently under two names, as sentences.';
revoke execute on function app.usage_differences from public, anon, authenticated, service_role;
grant execute on function app.usage_differences to authenticated;
