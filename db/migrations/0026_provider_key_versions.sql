-- 0026_provider_key_versions: which OpenAI key, OpenAI project and region served a call
--
-- A stored provider key, and the install's own key, are versions that are never overwritten: a call keeps the id of the version
-- that it was made with. Calls before this migration have none: which key served them was not recorded.
create table public.provider_key_versions (
    id uuid primary key default gen_random_uuid(),
    org_id uuid references public.organizations (id),
    project_id uuid,
    shared boolean not null default false,
    last4 text not null check (length(last4) <= 4),
    fingerprint bytea,
    base_url text,
    since timestamptz not null default clock_timestamp(),
    until timestamptz,
    stored_by uuid,
    ended_by uuid,
    foreign key (org_id, project_id) references public.projects (org_id, id)
);
create index on public.provider_key_versions (org_id, project_id);
create index on public.provider_key_versions (fingerprint);
create unique index provider_key_versions_current on public.provider_key_versions (org_id, project_id) nulls not distinct
    where until is null;
alter table public.provider_key_versions enable row level security;  -- who reads it: policies/provider_key_versions.sql
comment on table public.provider_key_versions is
    'Every provider key that was ever in use, without the key itself: replacing or deleting a key ends its version.';
comment on column public.provider_key_versions.org_id is 'Whose key it is; null: the install''s own, OPENAI_API_KEY.';
comment on column public.provider_key_versions.project_id is 'The project it is stored for; null: the whole organization.';
comment on column public.provider_key_versions.shared is 'Of the install''s key: it serves every organization, not only the first.';
comment on column public.provider_key_versions.last4 is 'Last four characters of the key; empty for a short key.';
comment on column public.provider_key_versions.fingerprint is 'HMAC of the key: equal for equal keys, tells nothing else. Null when not known.';
comment on column public.provider_key_versions.base_url is 'Where its calls are sent; null: OPENAI_BASE_URL.';
comment on column public.provider_key_versions.since is 'When it was stored; for the install''s key: when a gateway first used it. UTC.';
comment on column public.provider_key_versions.until is 'When it was replaced or deleted, UTC; null: in use.';
comment on column public.provider_key_versions.stored_by is 'The admin who stored it; null for the install''s key.';
comment on column public.provider_key_versions.ended_by is 'The admin who replaced or deleted it.';

create function private.guard_provider_key_version() returns trigger language plpgsql set search_path = '' as $$
begin
    raise sqlstate 'PT405' using message = 'see guards/guard_provider_key_version.sql', detail = 'append_only';
end $$;
create trigger guard before update or delete on public.provider_key_versions
    for each row execute function private.guard_provider_key_version();
create trigger guard_truncate before truncate on public.provider_key_versions
    for each statement execute function private.refuse_change();

-- The id of a stored key is that of its version, so that one row has both what a call is sent with and what it is labelled with.
insert into public.provider_key_versions (id, org_id, project_id, last4, fingerprint, base_url, since, stored_by)
select id, org_id, project_id, last4, fingerprint, base_url, updated_at, updated_by from private.provider_keys;
alter table private.provider_keys
    -- squawk-ignore ban-drop-default -- only app.provider_key_set inserts, and it names the id
    alter column id drop default,
    -- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid -- one row per stored key
    add foreign key (id) references public.provider_key_versions (id);
comment on column private.provider_keys.id is 'Of its version in provider_key_versions; another one whenever the key is replaced.';

alter table public.usage_logs
    add column provider_key_id uuid,
    add column openai_project text,
    add column region text;
comment on column public.usage_logs.provider_key_id is
    'Version of the provider key it was sent with (provider_key_versions.id). Null: sandbox, or recorded before versions were: unknown.';
comment on column public.usage_logs.openai_project is
    'OpenAI''s project, as the answer named it. Null also where the install''s key serves several organizations.';
comment on column public.usage_logs.region is 'Region of OpenAI''s API it was sent to, such as eu; null: none, or no host of OpenAI''s.';

alter type app.settlement
    add attribute provider_key_id uuid,
    add attribute openai_project text,
    add attribute region text;

alter table private.upstream_objects add column request jsonb;
comment on column private.upstream_objects.request is
    'What of the usage only the call that made the object knows: completion_window and region. Null: nothing, or a finished object.';

-- Its result gets a column; functions/open_calls.sql makes it again.
-- squawk-ignore ban-drop-function
drop function if exists app.open_calls(jsonb, text, bytea);
