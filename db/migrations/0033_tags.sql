-- 0033_tags: `metadata` of requests as tags, per project; and what was left out of the tags that a client sent
alter table public.projects add column metadata_tags boolean not null default false;
comment on column public.projects.metadata_tags is
    'Whether the metadata of requests becomes tags, beside x-spendai-tags. Off at first, because metadata may hold private words.';

alter table public.usage_logs add column warning text;
comment on column public.usage_logs.warning is
    'What of the client''s tags was left out or shortened, and why; also the answer''s x-spendai-warning header. Null: nothing.';
alter type app.settlement add attribute warning text;

-- Their results get a column, project_update also an argument; the files of their names make them again.
-- squawk-ignore ban-drop-function
drop function if exists app.open_calls(jsonb, text, bytea);
-- squawk-ignore ban-drop-function
drop function if exists app.project_create(text);
-- squawk-ignore ban-drop-function
drop function if exists app.project_update(uuid, text, boolean);
