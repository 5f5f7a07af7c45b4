-- filter_sql(filters, labelled) → the filters of a page, an export or the API as text of SQL conditions, each beginning with `and`
--
-- So that a filter means the same everywhere. In the query, e must be the row (columns of bookings or daily_entries) and $1 the
-- filters: {"project": ["…", …], "not_model": […], …}. Of each list one word must fit, and of a list whose name begins with not_
-- none may; an unknown word fits nothing. Ids are compared as text, so that a mistyped one is no error. An empty word fits what
-- has no value: calls without an end user, without any tag, of an unknown model.
-- person: who made the key. status: a number, or `error` for 400 and above. cost_status: also in_doubt. tag: `name=value`, or a
-- name alone.
-- p_labelled: the rows are those of daily_label_entries, where column label has the end user or the tag.
--
-- The text holds only conditions of filters that are given, and never a word that somebody typed: so nothing is to be quoted.
create or replace function app.filter_sql(p_filters jsonb, p_labelled boolean) returns text
language sql immutable
set search_path = ''
as $$
    select coalesce(string_agg(format(' and (%s)%s', format(c.condition, format('$1 -> %L', w.name)), w.ending), ''), '')
    from (values
        ('project', $sql$ %1$s ? e.project_id::text $sql$),
        ('key', $sql$ %1$s ? e.api_key_id::text $sql$),
        ('person', $sql$ e.api_key_id in (
            select k.id from public.api_keys k
            where k.org_id = (select app.current_org_id()) and %1$s ? coalesce(k.created_by::text, '')) $sql$),
        ('model', $sql$ %1$s ? coalesce(e.model, '') $sql$),
        ('endpoint', $sql$ %1$s ? e.endpoint $sql$),
        ('service_tier', $sql$ %1$s ? coalesce(e.service_tier, '') $sql$),
        ('status', $sql$ %1$s ? coalesce(e.status_code::text, '') or %1$s ? 'error' and e.status_code >= 400 $sql$),
        ('cost_status', $sql$ %1$s ? coalesce(e.cost_status, '') or %1$s ? 'in_doubt' and e.in_doubt_calls > 0 $sql$),
        ('end_user', case when p_labelled then $sql$ %1$s ? e.label $sql$ else $sql$ %1$s ? coalesce(e.end_user, '') $sql$ end),
        ('tag', case when p_labelled then $sql$ %1$s ? e.label or %1$s ? split_part(e.label, '=', 1) $sql$
            else $sql$ %1$s ? '' and e.tags = '{}' or exists (
                select from jsonb_each_text(e.tags) t where %1$s ? t.key or %1$s ? (t.key || '=' || t.value)) $sql$ end)
    ) as c (filter, condition)
    cross join lateral (values (c.filter, ''), ('not_' || c.filter, ' is not true')) as w (name, ending)
    where p_filters ? w.name
$$;

comment on function app.filter_sql is
    'Text of SQL conditions for the filters of pages, exports and the API; part of app.sums, calls_page and calls_ranked.';
revoke execute on function app.filter_sql from public, anon, authenticated, service_role;
grant execute on function app.filter_sql to authenticated;
