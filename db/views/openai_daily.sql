-- openai_daily: the lines of OpenAI's bill that count: of each day those of the newest complete fetch, with names
--
-- With the reader's own rights: row level security decides. Only append columns, never reorder: analysts' queries use them.
create or replace view public.openai_daily with (security_invoker = true) as
select
    l.org_id, l.day, l.openai_project_id, p.name as openai_project, l.openai_key_id, k.name as openai_key, k.ending as openai_key_ending,
    l.line_item, l.quantity, l.quantity_unit, l.amount, d.whole, f.at as fetched_at, f.source, l.fetch_id
from public.openai_cost_lines l
join public.openai_days d on d.org_id = l.org_id and d.day = l.day and d.fetch_id = l.fetch_id
join public.openai_fetches f on f.id = l.fetch_id
left join public.openai_projects p on p.org_id = l.org_id and p.id = l.openai_project_id
left join public.openai_keys k on k.org_id = l.org_id and k.id = l.openai_key_id
where not exists (select from public.openai_days later where later.org_id = d.org_id and later.day = d.day and later.n > d.n);

comment on view public.openai_daily is
    'OpenAI''s own bill by day (UTC), project, key and line item, as last fetched. Add up amount; filter on day.';
comment on column public.openai_daily.org_id is 'The organization.';
comment on column public.openai_daily.day is 'Day, UTC.';
comment on column public.openai_daily.openai_project_id is 'OpenAI''s id of the project (proj_…).';
comment on column public.openai_daily.openai_project is 'Its name.';
comment on column public.openai_daily.openai_key_id is 'OpenAI''s id of the key (key_…); null: a use without a key, or an imported file, which has none.';
comment on column public.openai_daily.openai_key is 'Name of the key at OpenAI; null also when it was deleted before it was ever seen.';
comment on column public.openai_daily.openai_key_ending is 'Last characters of the key.';
comment on column public.openai_daily.line_item is 'OpenAI''s name of the line, as it came.';
comment on column public.openai_daily.quantity is 'How many quantity_unit; null when OpenAI gives none.';
comment on column public.openai_daily.quantity_unit is 'Unit of quantity, OpenAI''s word.';
comment on column public.openai_daily.amount is 'US dollars, exact.';
comment on column public.openai_daily.whole is 'The day had ended when it was fetched; else more may come.';
comment on column public.openai_daily.fetched_at is 'When it was fetched or imported, UTC.';
comment on column public.openai_daily.source is 'api or csv.';
comment on column public.openai_daily.fetch_id is 'The fetch: openai_fetches.id.';
revoke all on public.openai_daily from public, anon, authenticated, service_role;
grant select on public.openai_daily to authenticated, spendai_analyst;
