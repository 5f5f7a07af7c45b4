-- reconciliation_days: each day of OpenAI's books beside the ledger, as last compared
--
-- With the reader's own rights: row level security decides. Only append columns, never reorder: analysts' queries use them.
create or replace view public.reconciliation_days with (security_invoker = true) as
select
    d.org_id, d.day, d.openai, d.ledger, d.openai - d.ledger as difference, s.explained, s.unexplained, s.unexplained_gross, o.whole,
    f.at as fetched_at, d.compared_at,
    (select count(*) - 1 from public.openai_days x where x.org_id = d.org_id and x.day = d.day) as restatements, d.fetch_id
from public.reconciled_days d
join public.openai_days o on o.org_id = d.org_id and o.day = d.day and o.fetch_id = d.fetch_id
join public.openai_fetches f on f.id = d.fetch_id
cross join lateral (
    select coalesce(sum(p.amount) filter (where r.explained), 0) as explained,
        coalesce(sum(p.amount) filter (where not r.explained), 0) as unexplained,
        coalesce(sum(abs(p.amount)) filter (where not r.explained), 0) as unexplained_gross
    from public.reconciled_parts p join public.part_reasons r using (reason)
    where p.org_id = d.org_id and p.day = d.day) s;

comment on view public.reconciliation_days is
    'Each day (UTC) that was fetched from OpenAI, compared with the ledger. difference = explained + unexplained, exactly.';
comment on column public.reconciliation_days.org_id is 'The organization.';
comment on column public.reconciliation_days.day is 'Day, UTC.';
comment on column public.reconciliation_days.openai is 'US dollars that OpenAI says.';
comment on column public.reconciliation_days.ledger is 'US dollars of the ledger: calls that arrived on the day, with all their corrections, when it was compared.';
comment on column public.reconciliation_days.difference is 'openai - ledger.';
comment on column public.reconciliation_days.explained is 'US dollars of the parts whose reason explains them.';
comment on column public.reconciliation_days.unexplained is 'US dollars of the other parts.';
comment on column public.reconciliation_days.unexplained_gross is 'The same, added up without signs.';
comment on column public.reconciliation_days.whole is 'The day had ended when it was fetched; else more may come.';
comment on column public.reconciliation_days.fetched_at is 'When OpenAI''s side was fetched, UTC.';
comment on column public.reconciliation_days.compared_at is 'When the two were compared, UTC.';
comment on column public.reconciliation_days.restatements is 'How many older complete fetches have the day.';
comment on column public.reconciliation_days.fetch_id is 'The fetch: openai_fetches.id.';
revoke all on public.reconciliation_days from public, anon, authenticated, service_role;
grant select on public.reconciliation_days to authenticated, spendai_analyst;
