-- 0043_accounts: where a session comes from, and when an organization is removed
--
-- squawk-ignore adding-field-with-default -- each row gets an id of its own; the table is small
alter table private.web_sessions add column id uuid not null default gen_random_uuid();
-- squawk-ignore require-concurrent-index-creation -- the same
create unique index on private.web_sessions (id);
alter table private.web_sessions add column agent text, add column address text;
alter table private.login_sessions add column agent text, add column address text;
comment on column private.web_sessions.id is 'Names the session on pages, where the hash of its cookie must not be shown.';
comment on column private.web_sessions.agent is 'User-Agent of the browser at the log-in, its first 300 characters.';
comment on column private.web_sessions.address is 'Address of the client at the log-in; of IPv6 its /64.';
comment on column private.login_sessions.agent is 'User-Agent of the client at the log-in, its first 300 characters.';
comment on column private.login_sessions.address is 'Address of the client at the log-in; of IPv6 its /64.';

alter table public.organizations add column deletes_at timestamptz;
comment on column public.organizations.deletes_at is
    'From then on flask organizations purge removes the organization with everything of it; null: nobody asked for that.';

-- The first organization may be removed: then OPENAI_API_KEY serves none, and nobody who signs up later becomes the first.
-- squawk-ignore ban-drop-not-null -- who reads it only compares it with an organization
alter table private.install alter column first_org_id drop not null;

-- squawk-ignore ban-drop-function -- its row gets two columns
drop function if exists app.setup_state();
-- squawk-ignore ban-drop-function -- its row gets deletes_at
drop function if exists app.me();
-- squawk-ignore ban-drop-function -- its row gets the session's id, agent and address
drop function if exists app.session_list(uuid, bytea);
-- squawk-ignore ban-drop-function -- it takes agent and address
drop function if exists app.web_session_start(bytea, uuid, jsonb, bytea, integer);
-- squawk-ignore ban-drop-function -- it takes agent and address
drop function if exists app.login_session_start(uuid, bytea);
