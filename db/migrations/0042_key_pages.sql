-- 0042_key_pages: a note on each key, and what its page and the pages of end users and tags read
alter table public.api_keys add column note text check (length(note) between 1 and 1000);
comment on column public.api_keys.note is 'What people write about the key: what uses it, whom to ask. Null: nothing.';

-- The keys that one person made.
-- squawk-ignore require-concurrent-index-creation -- a small table
create index on public.api_keys (org_id, created_by);
-- All days of one key: what it cost since it was made.
-- squawk-ignore require-concurrent-index-creation -- all migrations are one transaction; sums of days are few beside the calls
create index daily_totals_key on public.daily_totals (org_id, api_key_id);

-- key_list and key_show get columns; key_page takes the place of the other two.
-- squawk-ignore ban-drop-function
drop function if exists app.member_keys(uuid);
-- squawk-ignore ban-drop-function
drop function if exists app.key_overview(uuid);
-- squawk-ignore ban-drop-function
drop function if exists app.key_list(uuid);
-- squawk-ignore ban-drop-function
drop function if exists app.key_show(uuid);
