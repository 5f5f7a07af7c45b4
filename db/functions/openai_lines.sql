-- openai_lines(organization, fetch, day) → the lines of one day of a fetch, by the names that the ledger uses
--
-- reason: null where the line can be compared, that is for keys that are linked to a provider key of ours (key_links; a link
-- that was undone was wrong); else surface (dashboard, evals, fine-tuning and other uses without one of our keys) or
-- outside_key. Lines that can be compared are added up by name, the others by key and project too.
-- In a fetch that knows no keys (grain project), the keys of a project that answered calls of the day count as ours; if no call
-- of the day says a project, all do.
-- quantity: in tokens, seconds, characters or whatever the ledger counts; null when OpenAI gives none.
-- For app.reconcile_day: row security does not apply.
create or replace function app.openai_lines(p_org_id uuid, p_fetch_id uuid, p_day date)
returns table (
    line text, model text, known boolean, reason text, openai_key_id text, openai_project_id text, quantity numeric, amount numeric
)
language sql stable
set search_path = ''
as $$
    with lines as (
        select c.line_item, c.openai_key_id, c.openai_project_id, sum(c.amount) as amount, sum(c.quantity * case c.quantity_unit
                when '1000_tokens' then 1000 when 'duration_minutes' then 60 when 'duration_hours' then 3600 else 1 end) as quantity
        from public.openai_cost_lines c
        where c.org_id = p_org_id and c.day = p_day and c.fetch_id = p_fetch_id
        group by 1, 2, 3
    ), names as (
        select i.line_item, n.*
        from (select distinct l.line_item from lines l) i
        cross join lateral app.openai_line(p_org_id, i.line_item, p_day::timestamp at time zone 'utc') n
    ), projects as (
        select array_agg(distinct u.openai_project) as ids
        from public.usage_logs u
        where u.org_id = p_org_id and u.openai_project is not null
          and u.started_at >= p_day::timestamp at time zone 'utc' and u.started_at < (p_day + 1)::timestamp at time zone 'utc'
          and (select f.grain from public.openai_fetches f where f.id = p_fetch_id) = 'project'
    ), sorted as (
        select l.*, n.line, n.model, n.known, case
            when n.surface is not null then 'surface'
            when (select f.grain from public.openai_fetches f where f.id = p_fetch_id) = 'project' then
                case when p.ids is null or l.openai_project_id = any (p.ids) then null else 'outside_key' end
            when l.openai_key_id is null then 'surface'
            when not exists (select from public.key_links k where k.org_id = p_org_id and k.openai_key_id = l.openai_key_id
                and k.ended_at is null) then 'outside_key'
            end as reason
        from lines l join names n using (line_item) cross join projects p
    )
    select case when s.reason is null then s.line else s.line_item end, min(s.model), bool_and(s.known), s.reason,
        case when s.reason is null and count(distinct s.openai_key_id) > 1 then null else min(s.openai_key_id) end,
        case when s.reason is null and count(distinct s.openai_project_id) > 1 then null else min(s.openai_project_id) end,
        sum(s.quantity), sum(s.amount)
    from sorted s
    group by 1, s.reason, case when s.reason is not null then row(s.openai_key_id, s.openai_project_id) end
$$;

comment on function app.openai_lines is 'Lines of OpenAI''s bill for a day by the ledger''s names, and which of them cannot be compared.';
-- No grant: part of app.reconcile_day.
revoke execute on function app.openai_lines from public, anon, authenticated, service_role;
