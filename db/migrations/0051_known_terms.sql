-- 0051_known_terms: price terms that app.known_terms keeps, and the number of changes of the price list, which tells whether they hold
create table private.price_changes (
    only_row boolean primary key default true check (only_row),
    n bigint not null
);
comment on table private.price_changes is 'One row: how often prices or aliases were changed.';
alter table private.price_changes enable row level security;
revoke all on private.price_changes from public, anon, authenticated, service_role;
insert into private.price_changes (n) values (0);

create table private.known_terms (
    org_id uuid not null,
    key text not null,
    price_changes bigint not null,
    since timestamptz not null,
    until timestamptz not null,
    terms jsonb not null,
    primary key (org_id, key)
);
comment on table private.known_terms is 'Results of app.price_terms, kept by app.known_terms; deleting any of them loses nothing.';
comment on column private.known_terms.key is 'The other arguments of app.price_terms, but the moment.';
comment on column private.known_terms.price_changes is 'price_changes.n when the terms were found: others may be out of date.';
comment on column private.known_terms.since is 'Terms hold for moments from here on, and before until.';
alter table private.known_terms enable row level security;
revoke all on private.known_terms from public, anon, authenticated, service_role;

create function private.count_price_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    update private.price_changes set n = n + 1;
    return null;
end $$;
comment on function private.count_price_change() is 'Trigger: what app.known_terms keeps does not hold any longer.';
revoke execute on function private.count_price_change() from public, anon, authenticated, service_role;
create trigger price_change after insert or update or delete or truncate on public.model_prices
    for each statement execute function private.count_price_change();
create trigger price_change after insert or update or delete or truncate on public.price_aliases
    for each statement execute function private.count_price_change();
