-- dark_keys(from, until) → spend at OpenAI past SpendAI in a period: one row for each key that is not ours and each use without a
-- key; the largest first
--
-- requests: as OpenAI counted them; null when that was not fetched. days: days with such spend. p_until is not included.
create or replace function app.dark_keys(p_from date, p_until date)
returns table (
    reason text, openai_key_id text, openai_key text, openai_key_ending text, owner_kind text, owner text, openai_project_id text,
    openai_project text, surface text, last_used_at timestamptz, days bigint, amount numeric, requests bigint
)
language sql stable
set search_path = ''
as $$
    select d.reason, d.openai_key_id, min(d.openai_key), min(d.openai_key_ending), min(d.owner_kind), min(d.owner), d.openai_project_id,
        min(d.openai_project), d.surface, max(d.last_used_at), count(distinct d.day), sum(d.amount), sum(d.requests)::bigint
    from public.dark_spend d
    where d.org_id = (select app.current_org_id()) and d.day >= p_from and d.day < p_until
    group by d.reason, d.openai_key_id, d.openai_project_id, d.surface
    order by sum(d.amount) desc, d.openai_key_id, d.surface, d.openai_project_id
$$;

comment on function app.dark_keys is 'Keys and other uses by which money was spent at OpenAI past SpendAI in a period.';
revoke execute on function app.dark_keys from public, anon, authenticated, service_role;
grant execute on function app.dark_keys to authenticated;
