-- 0036_openai_books_compared: which key of OpenAI's is which of ours, each day compared with the ledger, and closed months
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
create index on public.key_links (org_id, openai_key_id);
create index on public.key_links (version_id);
alter table public.key_links enable row level security;
comment on table public.key_links is 'Which key of OpenAI''s list is which provider key of ours: only with a link OpenAI''s lines are compared with the ledger.';
comment on column public.key_links.version_id is 'Our provider key (provider_key_versions.id).';
comment on column public.key_links.how is 'ending: the only key of that ending and project. admin: chosen by a person.';
comment on column public.key_links.ended_at is 'When it was undone, UTC; null: it holds.';

create table public.line_aliases (
    id uuid primary key default gen_random_uuid(),
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
    n bigint not null,
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
create unique index on public.month_closes (org_id, n);
create trigger number before insert on public.month_closes for each row execute function private.guard_number();
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
create trigger append_only before update or delete on public.month_closes
    for each row execute function private.refuse_change();
create trigger append_only_truncate before truncate on public.month_closes
    for each statement execute function private.refuse_change();
create trigger append_only_truncate before truncate on public.key_links
    for each statement execute function private.refuse_change();
