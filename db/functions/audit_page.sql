-- audit_page(before at, before id, limit) → lines of the audit log, the newest first, one page
--
-- p_before_at and p_before_id: (at, id) of the last row of the page before; nulls for the first page.
create or replace function app.audit_page(p_before_at timestamptz, p_before_id uuid, p_limit integer)
returns table (
    id uuid, at timestamptz, actor_id uuid, actor_email text, action text, subject_id uuid, details jsonb
)
language sql stable
set search_path = ''
as $$
    select l.id, l.at, l.actor_id, l.actor_email, l.action, l.subject_id, l.details
    from public.audit_log l
    where l.at <= coalesce(p_before_at, 'infinity')  -- found by index, which the next line alone is not
      and (p_before_at is null or (l.at, l.id) < (p_before_at, p_before_id))
    order by l.at desc, l.id desc
    limit p_limit
$$;

comment on function app.audit_page is
    'A page of the audit log of the admin''s organization, newest first; keyset on (at, id).';
-- With the caller's own rights: row level security shows lines to admins only.
revoke execute on function app.audit_page from public, anon, authenticated, service_role;
grant execute on function app.audit_page to authenticated;
