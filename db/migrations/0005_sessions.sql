-- 0005_sessions: browser sessions, and what the embedded identity provider remembers
create table private.web_sessions (
    id_hash bytea primary key check (length(id_hash) = 32),
    user_id uuid references auth.users (id) on delete cascade,
    data jsonb not null default '{}',
    tokens bytea,
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index on private.web_sessions (user_id);
create index on private.web_sessions (expires_at);
alter table private.web_sessions enable row level security;
comment on table private.web_sessions is 'Signed-in browsers. The cookie holds 32 random bytes, the row their SHA-256.';
comment on column private.web_sessions.tokens is 'Tokens of an outside identity provider, encrypted by the application.';

create table private.login_sessions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete cascade,
    created_at timestamptz not null default now(),
    ended_at timestamptz
);
create index on private.login_sessions (user_id);
alter table private.login_sessions enable row level security;
comment on table private.login_sessions is 'One log-in through the API of the embedded provider; its tokens die with it.';

create table private.refresh_tokens (
    token_hash bytea primary key check (length(token_hash) = 32),
    session_id uuid not null references private.login_sessions (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '30 days',
    used_at timestamptz
);
create index on private.refresh_tokens (session_id);
alter table private.refresh_tokens enable row level security;
comment on table private.refresh_tokens is 'Refresh tokens of the embedded provider, hashed, each good for one use.';

create table private.password_resets (
    token_hash bytea primary key check (length(token_hash) = 32),
    user_id uuid not null references auth.users (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '1 day',
    used_at timestamptz
);
create index on private.password_resets (user_id);
alter table private.password_resets enable row level security;
comment on table private.password_resets is 'One-time links to set a new password, hashed.';
