-- filter_sql(filters, labelled) → the filters of a page, an export or the API as conditions of a query, each beginning with `and`
--
-- One meaning of every filter for all of them. The query names the rows e (columns of bookings, or of daily_entries) and the
-- filters $1. Each filter is a list of words of which one must fit; an unknown word simply fits nothing. Ids are compared as
-- text, so that a mistyped one is no error. status: a number, or `error` for all from 400 on. tag: `name=value` or a name alone.
-- p_labelled: the rows are those of daily_label_entries, where label stands for the end user or the tag.
--
-- Only conditions that are wanted are in the text, and it never holds a word of anybody's: so it needs no quoting.
create or replace function app.filter_sql(p_filters jsonb, p_labelled boolean) returns text
language sql immutable
set search_path = ''
as $$
    select coalesce(string_agg(format(' and (%s)', c.condition), ''), '')
    from (values
        ('project', '$1 -> ''project'' ? e.project_id::text'),
        ('key', '$1 -> ''key'' ? e.api_key_id::text'),
        ('model', '$1 -> ''model'' ? coalesce(e.model, '''')'),
        ('endpoint', '$1 -> ''endpoint'' ? e.endpoint'),
        ('status', '$1 -> ''status'' ? e.status_code::text or $1 -> ''status'' ? ''error'' and e.status_code >= 400'),
        ('cost_status', '$1 -> ''cost_status'' ? e.cost_status or $1 -> ''cost_status'' ? ''in_doubt'' and e.in_doubt_calls > 0'),
        ('end_user', case when p_labelled then '$1 -> ''end_user'' ? e.label' else '$1 -> ''end_user'' ? e.end_user' end),
        ('tag', case when p_labelled then '$1 -> ''tag'' ? e.label or $1 -> ''tag'' ? split_part(e.label, ''='', 1)'
            else 'exists (select from jsonb_each_text(e.tags) t where $1 -> ''tag'' ? t.key or $1 -> ''tag'' ? (t.key || ''='' || t.value))' end)
    ) as c (filter, condition)
    where p_filters ? c.filter
$$;

comment on function app.filter_sql is 'Conditions of a query for the filters of pages, exports and the API; part of app.sums, calls_page and calls_ranked.';
revoke execute on function app.filter_sql from public, anon, authenticated, service_role;
grant execute on function app.filter_sql to authenticated;
