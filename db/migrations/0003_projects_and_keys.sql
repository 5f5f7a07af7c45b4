-- 0003_projects_and_keys: projects, their proxy keys, and the OpenAI keys calls are made with
create table public.projects (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (id),
    name text not null check (length(name) between 1 and 200),
    created_at timestamptz not null default now(),
    created_by uuid,
    archived_at timestamptz,
    unique (org_id, id)  -- lets other tables point at a project together with its organization
);
create unique index projects_name_key on public.projects (org_id, lower(name)) where archived_at is null;
comment on table public.projects is 'One application whose spend is looked at on its own. Archived, never deleted.';

create table public.api_keys (
    id uuid primary key,
    org_id uuid not null,
    project_id uuid not null,
    name text not null check (length(name) between 1 and 200),
    prefix text not null check (length(prefix) between 1 and 32),
    key_hash bytea not null unique check (length(key_hash) = 32),
    created_at timestamptz not null default now(),
    created_by uuid,
    expires_at timestamptz,
    revoked_at timestamptz,
    revoked_by uuid,
    rotated_from uuid references public.api_keys (id),
    -- Both columns: a key can never point at a project of another organization.
    foreign key (org_id, project_id) references public.projects (org_id, id)
);
create index on public.api_keys (org_id, project_id);
create index on public.api_keys (rotated_from);
comment on table public.api_keys is 'Proxy keys. The key itself is never stored, only its SHA-256.';
comment on column public.api_keys.prefix is 'Beginning of the key, for people to recognise it by.';
comment on column public.api_keys.expires_at is 'Refused from this moment on; null: never expires.';
comment on column public.api_keys.rotated_from is 'The key this one replaced.';

create table private.provider_keys (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (id),
    project_id uuid,
    ciphertext bytea not null,
    last4 text not null check (length(last4) <= 4),
    base_url text,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    unique nulls not distinct (org_id, project_id),
    foreign key (org_id, project_id) references public.projects (org_id, id)
);
alter table private.provider_keys enable row level security;
comment on table private.provider_keys is 'OpenAI keys the organizations brought, AES-256-GCM; a project''s own key goes before the organization''s.';
comment on column private.provider_keys.ciphertext is '0x01, key number (2), nonce (12), ciphertext and tag; bound to the organization as associated data.';
