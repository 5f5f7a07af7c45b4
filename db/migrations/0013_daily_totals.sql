-- 0013_daily_totals: sums per day, kept exact with every change of a call, so that no page has to add up the calls themselves
--
-- Settled calls only: one still open is in no total, it is counted from its row (an index holds the open ones). A call counts
-- on the day it began. What is not known stands as '' or 0 here, since it is part of the key; the views make it null again.
--
-- slot: one row for each of the connections that write at the same time, so that they need not wait for each other.
create table public.daily_totals (
    org_id uuid not null,
    day date not null,
    project_id uuid not null,
    api_key_id uuid not null,
    model text not null,
    endpoint text not null,
    service_tier text not null,
    status_code integer not null,
    cost_status text not null,
    upstream text not null,
    slot integer not null,
    calls bigint not null default 0,
    tokens_in bigint not null default 0,
    tokens_cached bigint not null default 0,
    tokens_cache_write bigint not null default 0,
    tokens_out bigint not null default 0,
    tokens_reasoning bigint not null default 0,
    tokens_audio_in bigint not null default 0,
    tokens_audio_out bigint not null default 0,
    cost numeric not null default 0,
    adjustments numeric not null default 0,
    corrections numeric not null default 0,
    primary key (org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
) with (fillfactor = 50);  -- room beside each row for its next version: then no index is touched

comment on table public.daily_totals is
    'Sums per day (UTC) of settled calls and of corrections, exact at every moment. The spend_* views add them up.';
comment on column public.daily_totals.org_id is 'The organization.';
comment on column public.daily_totals.day is 'Day on which the calls began, or on which a correction counts, UTC.';
comment on column public.daily_totals.project_id is 'Project of the calls.';
comment on column public.daily_totals.api_key_id is 'Proxy key of the calls.';
comment on column public.daily_totals.model is 'Model that served them, else the one asked for; empty when neither is known.';
comment on column public.daily_totals.endpoint is 'OpenAI''s path.';
comment on column public.daily_totals.service_tier is 'Tier that served them; empty when not known.';
comment on column public.daily_totals.status_code is 'HTTP status the clients got; 0 when not known.';
comment on column public.daily_totals.cost_status is 'Why their cost is what it is, or why it is not known.';
comment on column public.daily_totals.upstream is 'openai or sandbox: the books.';
comment on column public.daily_totals.slot is 'Only says which connection wrote it; add up all slots.';
comment on column public.daily_totals.calls is 'Settled calls.';
comment on column public.daily_totals.tokens_in is 'Input tokens, cached ones included.';
comment on column public.daily_totals.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.daily_totals.tokens_cache_write is 'Part of tokens_in written to the prompt cache.';
comment on column public.daily_totals.tokens_out is 'Output tokens, reasoning included.';
comment on column public.daily_totals.tokens_reasoning is 'Part of tokens_out spent on reasoning.';
comment on column public.daily_totals.tokens_audio_in is 'Part of tokens_in that is audio.';
comment on column public.daily_totals.tokens_audio_out is 'Part of tokens_out that is audio.';
comment on column public.daily_totals.cost is 'US dollars of the calls, as settled.';
comment on column public.daily_totals.adjustments is 'US dollars of corrections booked on this day, of calls of any day.';
comment on column public.daily_totals.corrections is 'US dollars of corrections of this day''s calls, booked on any day.';

-- A call with an end user is counted once more here, and a call with tags once for each of them and once as `tagged`, so that
-- calls without can be told by subtraction. Less is kept apart than above: there may be as many end users as calls.
create table public.daily_labels (
    org_id uuid not null,
    kind text not null check (kind in ('end_user', 'tag', 'tagged')),
    day date not null,
    label text not null,
    project_id uuid not null,
    api_key_id uuid not null,
    upstream text not null,
    slot integer not null,
    calls bigint not null default 0,
    tokens_in bigint not null default 0,
    tokens_cached bigint not null default 0,
    tokens_out bigint not null default 0,
    cost numeric not null default 0,
    unpriced_calls bigint not null default 0,
    no_usage_calls bigint not null default 0,
    error_calls bigint not null default 0,
    adjustments numeric not null default 0,
    corrections numeric not null default 0,
    primary key (org_id, kind, day, label, project_id, api_key_id, upstream, slot)
) with (fillfactor = 50);

comment on table public.daily_labels is
    'Sums per day (UTC) of the settled calls of each end user and of each tag, exact at every moment.';
comment on column public.daily_labels.org_id is 'The organization.';
comment on column public.daily_labels.kind is
    'end_user, tag, or tagged: calls with any tag, each once, however many it has.';
comment on column public.daily_labels.day is 'As in daily_totals.';
comment on column public.daily_labels.label is 'The end user, or name=value of the tag; empty for tagged.';
comment on column public.daily_labels.project_id is 'Project of the calls.';
comment on column public.daily_labels.api_key_id is 'Proxy key of the calls.';
comment on column public.daily_labels.upstream is 'openai or sandbox: the books.';
comment on column public.daily_labels.slot is 'Only says which connection wrote it; add up all slots.';
comment on column public.daily_labels.calls is 'Settled calls.';
comment on column public.daily_labels.tokens_in is 'Input tokens, cached ones included.';
comment on column public.daily_labels.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.daily_labels.tokens_out is 'Output tokens, reasoning included.';
comment on column public.daily_labels.cost is 'US dollars of the calls, as settled.';
comment on column public.daily_labels.unpriced_calls is 'Calls without a cost because no price was known.';
comment on column public.daily_labels.no_usage_calls is 'Calls without a cost because OpenAI sent no usage (or not yet).';
comment on column public.daily_labels.error_calls is 'Calls answered with a status of 400 or more.';
comment on column public.daily_labels.adjustments is 'US dollars of corrections booked on this day, of calls of any day.';
comment on column public.daily_labels.corrections is 'US dollars of corrections of this day''s calls, booked on any day.';

create type app.total_entry as (
    org_id uuid, day date, project_id uuid, api_key_id uuid, model text, endpoint text, service_tier text, status_code integer,
    cost_status text, upstream text, end_user text, tags jsonb, calls integer, tokens_in bigint, tokens_cached bigint,
    tokens_cache_write bigint, tokens_out bigint, tokens_reasoning bigint, tokens_audio_in bigint, tokens_audio_out bigint,
    cost numeric, adjustment numeric, correction numeric
);
comment on type app.total_entry is 'What one call or one correction adds to the sums of a day; see app.totals_add.';

-- Its filters are in app.filter_sql now, and app.sums needs to see no row of a whole day.
-- squawk-ignore ban-drop-function
drop function if exists app.entries_matching(timestamptz, timestamptz, jsonb);

-- Views name it, and views come before functions; its body stands in functions/calls_open.sql.
create function app.calls_open()
returns table (
    org_id uuid, started_at timestamptz, deadline_at timestamptz, upstream text, project_id uuid, api_key_id uuid, model text,
    endpoint text, end_user text, tags jsonb
)
language plpgsql stable
set search_path = ''
as $$ begin return; end $$;
revoke execute on function app.calls_open() from public;
