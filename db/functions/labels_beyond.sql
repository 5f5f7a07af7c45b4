-- labels_beyond(entries, slot) → labels of these entries that are not kept apart, and the label that they are counted as
--
-- Of each organization and day, daily_labels keeps apart 10,000 end users, 2,000 values of one tag name and 10,000 tags in all:
-- the first ones that come. Further end users are counted as `(other)`, further values of a tag as `name=(other)`, and tags of
-- a further name as `(other)`, once for each such tag of a call. So sums still add up. A label that is kept apart stays so for
-- the whole day. Transactions at the same moment do not see each other's new labels: the limits may be passed by a few, and of a
-- label that is new to both, one may count calls as (other).
--
-- Counts the labels that are new here in rows of the slot, so that no transaction waits for another; see app.totals_add.
create or replace function app.labels_beyond(p_entries app.total_entry[], p_slot integer)
returns table (org_id uuid, day date, kind text, label text, counted_as text)
language plpgsql volatile rows 10
set search_path = ''
as $$
#variable_conflict use_column
begin
    -- Nearly always each label is there already. Not by `not exists`, of which the planner makes a join: planned while the table is
    -- small, and kept, that reads the labels of all organizations and days from end to end for each batch with a new one.
    if not exists (
        select from unnest(p_entries) e
        cross join lateral (
            select 'end_user' as kind, e.end_user as label where e.end_user is not null
            union all
            select 'tag', x.key || '=' || x.value from jsonb_each_text(e.tags) x
        ) l
        where (select true from public.daily_labels d
            where d.org_id = e.org_id and d.kind = l.kind and d.day = e.day and d.label = l.label limit 1) is null
    ) then
        return;
    end if;
    return query
    with label as (
        select distinct e.org_id, e.day, l.kind, l.name, l.label
        from unnest(p_entries) e
        cross join lateral (
            select 'end_user' as kind, '' as name, e.end_user as label where e.end_user is not null
            union all
            select 'tag', x.key, x.key || '=' || x.value from jsonb_each_text(e.tags) x
        ) l
    ), fresh as (
        select l.*, row_number() over (partition by l.org_id, l.day, l.kind order by l.label) as nth,
            row_number() over (partition by l.org_id, l.day, l.kind, l.name order by l.label) as nth_of_name
        from label l
        where (select true from public.daily_labels d
            where d.org_id = l.org_id and d.kind = l.kind and d.day = l.day and d.label = l.label limit 1) is null
    ), judged as (
        select f.*, f.nth + a.labels <= 10000 and (f.kind = 'end_user' or f.nth_of_name + n.labels <= 2000) as kept,
            n.labels > 0 or f.nth + a.labels <= 10000 as named
        from fresh f
        cross join lateral (select coalesce(sum(c.labels), 0) as labels from private.label_counts c
            where c.org_id = f.org_id and c.day = f.day and c.kind = f.kind and c.name = '') a
        cross join lateral (select coalesce(sum(c.labels), 0) as labels from private.label_counts c
            where c.org_id = f.org_id and c.day = f.day and c.kind = f.kind and c.name = f.name) n
    ), counted as (
        insert into private.label_counts as c (org_id, day, kind, name, slot, labels)
        select j.org_id, j.day, j.kind, w.name, p_slot, count(*)
        from judged j cross join lateral (select '' as name union select j.name) w
        where j.kept
        group by 1, 2, 3, 4
        order by 1, 2, 3, 4
        on conflict (org_id, day, kind, name, slot) do update set labels = c.labels + excluded.labels
    )
    select j.org_id, j.day, j.kind, j.label, case when j.kind = 'tag' and j.named then j.name || '=' else '' end || '(other)'
    from judged j where not j.kept;
end $$;

comment on function app.labels_beyond is
    'End users and tags beyond the limits of a day, which daily_labels counts as (other). Part of app.totals_add.';
-- No grant: part of the triggers of usage_logs and cost_adjustments.
revoke execute on function app.labels_beyond from public, anon, authenticated, service_role;
