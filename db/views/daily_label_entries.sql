-- daily_label_entries: as daily_entries, for each end user and each tag: daily labels of settled calls, and rows for open calls
--
-- A call with several tags is in the sums of each. Under kind `tagged` each call with tags is counted once more, so that all
-- calls less those are the calls without a tag.
--
-- Both parts of the union have the same types, so that Postgres computes only the columns that a query asks for.
-- `is true` keeps the condition on the books out of the joins: it is looked up in a small table made once, where a join would read
-- organizations again for each row, because estimates of tables without statistics are low. People see one organization; comparing
-- with that one alone takes less time for each row than looking it up.
--
-- With the reader's own rights: row level security decides. Only append columns, never reorder: other views use them.
create or replace view public.daily_label_entries with (security_invoker = true) as
select
    t.org_id, t.day, t.kind, t.label, t.project_id, t.api_key_id,
    t.calls, t.tokens_in, t.tokens_cached, t.tokens_out, t.cost + t.adjustments as cost, t.adjustments,
    t.cost + t.corrections as cost_corrected, t.unpriced_calls, t.no_usage_calls, 0 as in_doubt_calls, t.error_calls
from public.daily_labels t
where (case when t.org_id = (select o.id from public.organizations o order by o.id limit 1)
    then t.upstream = (select o.books from public.organizations o order by o.id limit 1)
    else (t.org_id, t.upstream) in (select o.id, o.books from public.organizations o) end) is true
union all
select
    u.org_id, (u.started_at at time zone 'utc')::date, l.kind, l.label, u.project_id, u.api_key_id,
    1::bigint, 0::bigint, 0::bigint, 0::bigint, 0::numeric, 0::numeric, 0::numeric, 0::bigint, 0::bigint,
    (u.deadline_at < now())::integer, 0::bigint
from app.calls_open() u
join public.organizations o on o.id = u.org_id and o.books = u.upstream
cross join lateral (
    select 'end_user' as kind, u.end_user as label where u.end_user is not null
    union all
    select 'tagged', '' where u.tags <> '{}'
    union all
    select 'tag', x.key || '=' || x.value from jsonb_each_text(u.tags) x
) l;

comment on view public.daily_label_entries is
    'Daily labels of settled calls, and a row for each label of an open call. A call may be in several rows.';
comment on column public.daily_label_entries.org_id is 'The organization.';
comment on column public.daily_label_entries.day is 'Day on which the calls arrived or corrections were booked, UTC.';
comment on column public.daily_label_entries.kind is 'end_user, tag, or tagged: all calls with any tag, each once.';
comment on column public.daily_label_entries.label is 'The end user, or name=value of the tag; empty for tagged.';
comment on column public.daily_label_entries.project_id is 'Project of the calls.';
comment on column public.daily_label_entries.api_key_id is 'Proxy key of the calls.';
comment on column public.daily_label_entries.calls is 'Calls; may be 0 or below, as in daily_entries.';
comment on column public.daily_label_entries.tokens_in is 'Input tokens, cached ones included.';
comment on column public.daily_label_entries.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.daily_label_entries.tokens_out is 'Output tokens, reasoning included.';
comment on column public.daily_label_entries.cost is
    'US dollars as reported: of the day''s calls, and of corrections booked on that day.';
comment on column public.daily_label_entries.adjustments is 'The part of cost that is corrections.';
comment on column public.daily_label_entries.cost_corrected is
    'US dollars as known today: of the day''s calls with all their corrections.';
comment on column public.daily_label_entries.unpriced_calls is 'Calls without a cost because no price was known.';
comment on column public.daily_label_entries.no_usage_calls is
    'Calls without a cost because OpenAI sent no usage, or has not sent it yet.';
comment on column public.daily_label_entries.in_doubt_calls is 'Calls in doubt: still open after their deadline.';
comment on column public.daily_label_entries.error_calls is 'Calls answered with a status of 400 or more.';
revoke all on public.daily_label_entries from public, anon, authenticated, service_role;
grant select on public.daily_label_entries to authenticated, spendai_analyst;
