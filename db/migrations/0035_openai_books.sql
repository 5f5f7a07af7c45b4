-- 0035_openai_books: what OpenAI itself says was spent, as fetched or imported, and the comparison of each day with the ledger
--
-- OpenAI's books are copied, never changed: every fetch is kept, and of each day the newest complete fetch counts. Nothing of
-- them is ever written into usage_logs.
create table private.admin_keys (
    org_id uuid primary key references public.organizations (id),
    ciphertext bytea not null,
    last4 text not null check (length(last4) <= 4),
    base_url text,
    updated_at timestamptz not null default clock_timestamp(),
    updated_by uuid
);
alter table private.admin_keys enable row level security;
comment on table private.admin_keys is 'OpenAI admin keys, which read Costs and Usage: encrypted like provider_keys, one for each organization.';
comment on column private.admin_keys.base_url is 'Where OpenAI''s Administration API is; null: OPENAI_BASE_URL.';

create table public.openai_fetches (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (id),
    n bigint generated always as identity,
    source text not null check (source in ('api', 'csv')),
    grain text not null default 'key' check (grain in ('key', 'project')),
    from_day date not null,
    until_day date not null,
    at timestamptz not null default clock_timestamp(),
    requests integer not null default 0,
    error text,
    fetched_by uuid,
    check (from_day < until_day)
);
create index on public.openai_fetches (org_id, at desc);
alter table public.openai_fetches enable row level security;  -- who reads it: policies/openai_fetches.sql
comment on table public.openai_fetches is 'Every attempt to copy OpenAI''s books, complete or failed. A failed one has no days and no lines.';
comment on column public.openai_fetches.n is 'Order in which they were stored: of two complete fetches of a day the higher one counts.';
comment on column public.openai_fetches.source is 'api: Administration API with an admin key. csv: a file exported from OpenAI''s dashboard.';
comment on column public.openai_fetches.grain is 'key: each line says which OpenAI key it is of. project: only which project.';
comment on column public.openai_fetches.from_day is 'First day asked for, UTC.';
comment on column public.openai_fetches.until_day is 'Day after the last one asked for, UTC.';
comment on column public.openai_fetches.at is 'When it ended, UTC.';
comment on column public.openai_fetches.requests is 'Requests it took.';
comment on column public.openai_fetches.error is 'Why it failed; null: complete.';
comment on column public.openai_fetches.fetched_by is 'Who asked for it; null: a command of the operator.';

create table public.openai_days (
    org_id uuid not null,
    day date not null,
    n bigint not null,
    fetch_id uuid not null references public.openai_fetches (id),
    amount numeric not null,
    lines integer not null,
    whole boolean not null,
    primary key (org_id, day, n)
);
create index on public.openai_days (fetch_id);
alter table public.openai_days enable row level security;
comment on table public.openai_days is 'Each day of each complete fetch. Of one day the row with the highest n counts, the others show what OpenAI restated.';
comment on column public.openai_days.n is 'openai_fetches.n of its fetch.';
comment on column public.openai_days.amount is 'US dollars of all lines of the day.';
comment on column public.openai_days.lines is 'Number of its lines.';
comment on column public.openai_days.whole is 'The day had ended (UTC) when it was fetched.';

create table public.openai_cost_lines (
    id bigint generated always as identity primary key,
    fetch_id uuid not null references public.openai_fetches (id),
    org_id uuid not null,
    day date not null,
    openai_project_id text,
    openai_key_id text,
    line_item text not null,
    quantity numeric,
    quantity_unit text,
    amount numeric not null
);
create index on public.openai_cost_lines (org_id, day, fetch_id);
create index on public.openai_cost_lines (fetch_id);
alter table public.openai_cost_lines enable row level security;
comment on table public.openai_cost_lines is 'Lines of OpenAI''s bill as OpenAI wrote them: one for each day, project, key and line item. Read openai_daily, which has those that count.';
comment on column public.openai_cost_lines.openai_key_id is 'OpenAI''s id of the key (key_…); null: dashboard, evals and other uses without a key, or a fetch of grain project.';
comment on column public.openai_cost_lines.line_item is 'OpenAI''s name of the line, as it came.';
comment on column public.openai_cost_lines.quantity is 'How many quantity_unit; null when OpenAI gives none.';
comment on column public.openai_cost_lines.amount is 'US dollars, exact.';

create table public.openai_usage_lines (
    id bigint generated always as identity primary key,
    fetch_id uuid not null references public.openai_fetches (id),
    org_id uuid not null,
    path text not null,
    start_at timestamptz not null,
    width text not null check (width in ('1m', '1d')),
    openai_project_id text,
    openai_key_id text,
    model text,
    batch boolean,
    service_tier text,
    requests bigint not null default 0,
    counts jsonb not null default '{}'
);
create index on public.openai_usage_lines (org_id, width, start_at);
create index on public.openai_usage_lines (fetch_id);
alter table public.openai_usage_lines enable row level security;
comment on table public.openai_usage_lines is
    'What OpenAI''s Usage API counted: whole days, and single minutes around calls whose usage the ledger does not know.';
comment on column public.openai_usage_lines.path is 'Part of the Usage API: completions, embeddings, images, …';
comment on column public.openai_usage_lines.start_at is 'When the minute or day began, UTC.';
comment on column public.openai_usage_lines.requests is 'Requests to models (num_model_requests, or num_requests where OpenAI has only those).';
comment on column public.openai_usage_lines.counts is 'The other numbers of the result, by OpenAI''s names.';

create table public.openai_projects (
    org_id uuid not null references public.organizations (id),
    id text not null,
    name text,
    status text,
    created_at timestamptz,
    archived_at timestamptz,
    seen_at timestamptz not null,
    primary key (org_id, id)
);
alter table public.openai_projects enable row level security;
comment on table public.openai_projects is 'Projects of the organization''s OpenAI account, as last seen.';
comment on column public.openai_projects.id is 'OpenAI''s id (proj_…).';

create table public.openai_keys (
    org_id uuid not null references public.organizations (id),
    id text not null,
    openai_project_id text,
    name text,
    ending text not null,
    owner_kind text,
    owner text,
    created_at timestamptz,
    last_used_at timestamptz,
    seen_at timestamptz not null,
    primary key (org_id, id)
);
alter table public.openai_keys enable row level security;
comment on table public.openai_keys is 'Keys of the organization''s OpenAI account, as last seen: names and visible endings, never a key. A deleted key stays.';
comment on column public.openai_keys.id is 'OpenAI''s id (key_…).';
comment on column public.openai_keys.ending is 'Last characters of the key that OpenAI shows, mostly four.';
comment on column public.openai_keys.owner_kind is 'user or service_account.';
comment on column public.openai_keys.owner is 'Name of that user or service account, else its e-mail address.';
comment on column public.openai_keys.seen_at is 'When OpenAI''s list last had it, UTC.';

create table public.key_links (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (id),
    version_id uuid not null references public.provider_key_versions (id),
    openai_key_id text not null,
    how text not null check (how in ('ending', 'admin')),
    linked_by uuid,
    since timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    ended_by uuid
);
create unique index key_links_current on public.key_links (org_id, version_id) where ended_at is null;
create index on public.key_links (version_id);
alter table public.key_links enable row level security;
comment on table public.key_links is 'Which key of OpenAI''s list is which provider key of ours: only with a link OpenAI''s lines are compared with the ledger.';
comment on column public.key_links.version_id is 'Our provider key (provider_key_versions.id).';
comment on column public.key_links.how is 'ending: the only key of that ending and project. admin: chosen by a person.';
comment on column public.key_links.ended_at is 'When it was undone, UTC; null: it holds.';

create table public.line_aliases (
    id bigint generated always as identity primary key,
    org_id uuid references public.organizations (id),
    line_item text not null check (line_item = lower(btrim(line_item)) and line_item <> ''),
    means text not null check (means = lower(btrim(means)) and means <> ''),
    set_by uuid,
    at timestamptz not null default clock_timestamp(),
    unique nulls not distinct (org_id, line_item)
);
alter table public.line_aliases enable row level security;
comment on table public.line_aliases is 'Names of lines of OpenAI''s bill that do not say what the ledger calls them, and the ledger''s name (app.ledger_line).';
comment on column public.line_aliases.org_id is 'The organization whose admin set it; null: for everybody.';
comment on column public.line_aliases.line_item is 'OpenAI''s name in lower case.';
comment on column public.line_aliases.means is 'The line of the ledger that it is compared with.';
insert into public.line_aliases (line_item, means) values
    ('whisper', 'whisper-1, audio_seconds'), ('whisper-1', 'whisper-1, audio_seconds'),
    ('tts', 'tts-1, input_characters'), ('tts-1', 'tts-1, input_characters'),
    ('tts hd', 'tts-1-hd, input_characters'), ('tts-1-hd', 'tts-1-hd, input_characters');

create table public.reconciled_days (
    org_id uuid not null references public.organizations (id),
    day date not null,
    fetch_id uuid not null references public.openai_fetches (id),
    openai numeric not null,
    ledger numeric not null,
    state text not null,
    compared_at timestamptz not null default clock_timestamp(),
    primary key (org_id, day)
);
create index on public.reconciled_days (fetch_id);
alter table public.reconciled_days enable row level security;
comment on table public.reconciled_days is 'Each day of OpenAI''s books as last compared with the ledger. Read reconciliation_days.';
comment on column public.reconciled_days.openai is 'US dollars that OpenAI says.';
comment on column public.reconciled_days.ledger is 'US dollars of the ledger: calls that arrived on the day, with all their corrections.';
comment on column public.reconciled_days.state is 'What it was compared from (app.books_state); another state now: compare again.';

create table public.reconciled_parts (
    org_id uuid not null,
    day date not null,
    n integer not null,
    line text not null,
    reason text not null,
    amount numeric not null,
    quantity numeric,
    openai_quantity numeric,
    openai numeric,
    ledger_quantity numeric,
    ledger numeric,
    model text,
    openai_key_id text,
    openai_project_id text,
    detail jsonb not null default '{}',
    primary key (org_id, day, n),
    foreign key (org_id, day) references public.reconciled_days (org_id, day) deferrable initially deferred
);
alter table public.reconciled_parts enable row level security;
comment on table public.reconciled_parts is 'The named parts of the difference of each day, whose sum is the difference. Read reconciliation_lines.';
comment on column public.reconciled_parts.reason is 'Why OpenAI and the ledger differ by this part, see docs/reconciliation.md; agrees: they do not.';
comment on column public.reconciled_parts.amount is 'US dollars of the part: what OpenAI has more than the ledger.';
comment on column public.reconciled_parts.openai is 'US dollars of the whole line at OpenAI, in its first part only, so that rows can be added up.';
comment on column public.reconciled_parts.ledger is 'US dollars of the whole line in the ledger, in its first part only.';

create function private.guard_reconciled_day() returns trigger language plpgsql set search_path = '' as $$
begin
    raise sqlstate 'PT405' using message = 'see guards/guard_reconciled_day.sql', detail = 'append_only';
end $$;
create constraint trigger parts_add_up after insert or update on public.reconciled_days deferrable initially deferred
    for each row execute function private.guard_reconciled_day();
create constraint trigger parts_add_up after insert or update or delete on public.reconciled_parts deferrable initially deferred
    for each row execute function private.guard_reconciled_day();

create table public.month_closes (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (id),
    n bigint generated always as identity,
    month date not null check (extract(day from month) = 1),
    status text not null check (status in ('closed', 'reopened')),
    openai numeric,
    ledger numeric,
    unexplained numeric,
    invoice numeric,
    named jsonb,
    report jsonb,
    fetch_ids uuid[],
    sha256 text,
    note text not null,
    closed_by uuid,
    at timestamptz not null default clock_timestamp(),
    check (status = 'reopened' or num_nulls(openai, ledger, unexplained, named, report, fetch_ids, sha256) = 0)
);
create index on public.month_closes (org_id, month, n desc);
alter table public.month_closes enable row level security;
comment on table public.month_closes is 'Months that were closed: frozen sums with who, when and why. Append-only; reopening is a row too, the newest row of a month counts.';
comment on column public.month_closes.month is 'First day of the month, UTC.';
comment on column public.month_closes.unexplained is 'US dollars of the parts that nothing explains.';
comment on column public.month_closes.invoice is 'US dollars of OpenAI''s invoice as typed in; null: not given.';
comment on column public.month_closes.named is 'US dollars of each reason, as decimal text: {"reason": "amount"}. Their sum is openai - ledger.';
comment on column public.month_closes.report is 'The ledger''s spend of the month by project, key, model, tag and person.';
comment on column public.month_closes.fetch_ids is 'Fetches that counted for its days.';
comment on column public.month_closes.sha256 is 'SHA-256 of what was frozen.';
comment on column public.month_closes.closed_by is 'Who closed or reopened it; null: the operator.';

do $$
declare
    v_table text;
begin
    foreach v_table in array array['openai_fetches', 'openai_days', 'openai_cost_lines', 'openai_usage_lines', 'month_closes', 'key_links'] loop
        if v_table <> 'key_links' then
            execute format('create trigger append_only before update or delete on public.%I for each row execute function private.refuse_change()', v_table);
        end if;
        execute format('create trigger append_only_truncate before truncate on public.%I for each statement execute function private.refuse_change()', v_table);
    end loop;
end $$;
