-- 0030_label_counts: how many labels of a day are kept apart, so that made-up tags cannot grow daily_labels without end
create table private.label_counts (
    org_id uuid not null,
    day date not null,
    kind text not null,
    name text not null,
    slot integer not null,
    labels integer not null,
    primary key (org_id, day, kind, name, slot)
) with (fillfactor = 50);  -- room beside each row for its next version, as in daily_labels
create index on private.label_counts (day);
alter table private.label_counts enable row level security;
comment on table private.label_counts is
    'How many labels of an organization and day daily_labels keeps apart; app.labels_beyond counts them. A label may be counted twice.';
comment on column private.label_counts.org_id is 'The organization.';
comment on column private.label_counts.day is 'Day, UTC.';
comment on column private.label_counts.kind is 'end_user or tag.';
comment on column private.label_counts.name is 'Name of the tags; empty: all labels of this kind.';
comment on column private.label_counts.slot is 'As in daily_totals: add up all slots.';
comment on column private.label_counts.labels is 'Labels that were new when this slot counted them.';

comment on column public.daily_labels.label is
    'The end user, or name=value of the tag; empty for tagged. (other) and name=(other): labels beyond the limits of app.labels_beyond.';
