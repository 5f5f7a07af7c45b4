-- dark_spend: what was spent at OpenAI past SpendAI, by day, key or other use
--
-- With the reader's own rights: row level security decides. Only append columns, never reorder: analysts' queries use them.
create or replace view public.dark_spend with (security_invoker = true) as
select
    p.org_id, p.day, p.reason, p.openai_key_id, k.name as openai_key, k.ending as openai_key_ending, k.owner_kind, k.owner,
    p.openai_project_id, q.name as openai_project,
    case when p.reason = 'surface' then case when p.line like '% | %' then split_part(p.line, ' | ', 1) else 'no key' end end as surface,
    k.last_used_at, sum(p.amount) as amount,
    (select sum(u.requests)::bigint from public.openai_usage_lines u join public.reconciled_days d on d.fetch_id = u.fetch_id
     where d.org_id = p.org_id and d.day = p.day and u.org_id = p.org_id and u.width = '1d' and u.start_at = p.day::timestamp at time zone 'utc'
       and p.reason = 'outside_key' and u.openai_key_id = p.openai_key_id and u.openai_project_id is not distinct from p.openai_project_id) as requests
from public.reconciled_parts p
left join public.openai_keys k on k.org_id = p.org_id and k.id = p.openai_key_id
left join public.openai_projects q on q.org_id = p.org_id and q.id = p.openai_project_id
where p.reason in ('outside_key', 'surface')
group by p.org_id, p.day, p.reason, p.openai_key_id, k.name, k.ending, k.owner_kind, k.owner, p.openai_project_id, q.name, surface, k.last_used_at;

comment on view public.dark_spend is
    'Spend at OpenAI that did not go through SpendAI, by day (UTC) and key, or by the use that has no key. Add up amount.';
comment on column public.dark_spend.org_id is 'The organization.';
comment on column public.dark_spend.day is 'Day, UTC.';
comment on column public.dark_spend.reason is 'outside_key: a key that SpendAI does not hold. surface: a use without a key.';
comment on column public.dark_spend.openai_key_id is 'OpenAI''s id of the key (key_…).';
comment on column public.dark_spend.openai_key is 'Its name at OpenAI; null when it was deleted before it was ever seen.';
comment on column public.dark_spend.openai_key_ending is 'Last characters of the key.';
comment on column public.dark_spend.owner_kind is 'user or service_account.';
comment on column public.dark_spend.owner is 'Whose key it is.';
comment on column public.dark_spend.openai_project_id is 'OpenAI''s id of the project (proj_…).';
comment on column public.dark_spend.openai_project is 'Its name.';
comment on column public.dark_spend.surface is 'evals, assistants api and so on; no key: whatever else OpenAI bills without one.';
comment on column public.dark_spend.last_used_at is 'When OpenAI last saw the key used, UTC.';
comment on column public.dark_spend.amount is 'US dollars.';
comment on column public.dark_spend.requests is 'Requests to models with the key on that day, as OpenAI counted them; null when not fetched.';
revoke all on public.dark_spend from public, anon, authenticated, service_role;
grant select on public.dark_spend to authenticated, spendai_analyst;
