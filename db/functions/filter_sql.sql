-- filter_sql(filters, labelled) → the filters of a page, an export or the API as text of SQL conditions, each beginning with `and`
--
-- So that a filter means the same everywhere. In the query, e must be the row (columns of bookings or daily_entries) and $1 the
-- filters: {"project": ["…", …], "model": […], …}. Of each list one word must fit; an unknown word fits nothing. Ids are
-- compared as text, so that a mistyped one is no error. status: a number, or `error` for 400 and above. cost_status: also
-- in_doubt. tag: `name=value`, or a name alone.
-- p_labelled: the rows are those of daily_label_entries, where column label has the end user or the tag.
--
-- The text holds only conditions of filters that are given, and never a word that somebody typed: so nothing is to be quoted.
create or replace function app.filter_sql(p_filters jsonb, p_labelled boolean) returns text
language sql immutable
set search_path = ''
as $$
    select coalesce(string_agg(format(' and (%s)', c.condition), ''), '')
    from (values
        ('project', $sql$ $1 -> 'project' ? e.project_id::text $sql$),
        ('key', $sql$ $1 -> 'key' ? e.api_key_id::text $sql$),
        ('model', $sql$ $1 -> 'model' ? coalesce(e.model, '') $sql$),
        ('endpoint', $sql$ $1 -> 'endpoint' ? e.endpoint $sql$),
        ('status', $sql$ $1 -> 'status' ? e.status_code::text or $1 -> 'status' ? 'error' and e.status_code >= 400 $sql$),
        ('cost_status', $sql$
            $1 -> 'cost_status' ? e.cost_status or $1 -> 'cost_status' ? 'in_doubt' and e.in_doubt_calls > 0 $sql$),
        ('end_user', case when p_labelled then $sql$ $1 -> 'end_user' ? e.label $sql$
            else $sql$ $1 -> 'end_user' ? e.end_user $sql$ end),
        ('tag', case when p_labelled then $sql$ $1 -> 'tag' ? e.label or $1 -> 'tag' ? split_part(e.label, '=', 1) $sql$
            else $sql$ exists (
                select from jsonb_each_text(e.tags) t where $1 -> 'tag' ? t.key or $1 -> 'tag' ? (t.key || '=' || t.value)) $sql$ end)
    ) as c (filter, condition)
    where p_filters ? c.filter
$$;

comment on function app.filter_sql is
    'Text of SQL conditions for the filters of pages, exports and the API; part of app.sums, calls_page and calls_ranked.';
revoke execute on function app.filter_sql from public, anon, authenticated, service_role;
grant execute on function app.filter_sql to authenticated;
