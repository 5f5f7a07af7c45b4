-- 0035_openai_books: what OpenAI itself says was spent, as fetched or imported
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
    n bigint not null,
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
create unique index on public.openai_fetches (org_id, n);
-- Counted for each organization by itself: one number for all would tell how often the others fetch.
create function private.guard_number() returns trigger language plpgsql set search_path = '' as $$
begin
    raise sqlstate 'PT405' using message = 'see guards/guard_number.sql', detail = 'append_only';
end $$;
create trigger number before insert on public.openai_fetches for each row execute function private.guard_number();
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
    id uuid primary key default gen_random_uuid(),
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
    id uuid primary key default gen_random_uuid(),
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

do $$
declare
    v_table text;
begin
    foreach v_table in array array['openai_fetches', 'openai_days', 'openai_cost_lines', 'openai_usage_lines'] loop
        execute format('create trigger append_only before update or delete on public.%I for each row execute function private.refuse_change()', v_table);
        execute format('create trigger append_only_truncate before truncate on public.%I for each statement execute function private.refuse_change()', v_table);
    end loop;
end $$;
