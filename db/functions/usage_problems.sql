-- usage_problems(usage) → a sentence for each thing in a usage object that contradicts itself or is no count; at most 20
--
-- For people who look at one call; nothing is stored and nothing is priced by it. Where counts contradict each other the
-- call has no cost (see app.price_quantities); parts that are more than their total are billed up to the total.
create or replace function app.usage_problems(p_usage jsonb) returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
    select (app.usage_differences(u.usage) || app.usage_bad_counts(u.usage) || app.usage_excess(u.usage) || array(
        select 'image_gen: ' || p
        from unnest(app.usage_differences(u.image) || app.usage_bad_counts(u.image) || app.usage_excess(u.image)) as p))[1:20]
    from (values (coalesce(p_usage, '{}'), p_usage #> '{tool_usage,image_gen}')) as u (usage, image)
$$;

comment on function app.usage_problems is 'What contradicts itself in a usage object, or is no count, as plain sentences.';
revoke execute on function app.usage_problems from public, anon, authenticated, service_role;
grant execute on function app.usage_problems to authenticated;
