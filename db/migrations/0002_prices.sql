-- 0002_prices: what OpenAI charges since when, and which names a model goes by
--
-- A price is in force from valid_from until a later row with the same key. Nothing is ever changed: a new price is a new
-- valid_from, a correction of a wrong one is the same valid_from with the next revision.
create table public.model_prices (
    id bigint generated always as identity primary key,
    org_id uuid references public.organizations (id),
    model text not null check (model = lower(btrim(model)) and length(model) between 1 and 200),
    dimension text not null check (dimension ~ '^[a-z_]{1,40}$'),
    service_tier text not null default 'standard'
        check (service_tier in ('standard', 'batch', 'flex', 'priority', 'ultrafast')),
    context_min_tokens integer not null default 0 check (context_min_tokens >= 0),
    qualifier text not null default '' check (length(qualifier) <= 80),
    unit_price numeric(20, 10) not null check (unit_price >= 0 and unit_price <> 'NaN'),
    unit_qty numeric(12, 0) not null check (unit_qty > 0 and unit_qty <> 'NaN'),
    valid_from timestamptz not null check (valid_from < 'infinity'),
    revision integer not null default 1 check (revision >= 1),
    source text not null check (length(source) between 1 and 200),
    note text not null default '' check (length(note) <= 1000),
    created_at timestamptz not null default now(),
    created_by uuid,
    unique nulls not distinct
        (org_id, model, dimension, service_tier, context_min_tokens, qualifier, valid_from, revision)
);
create index model_prices_look_up on public.model_prices (model, service_tier, dimension);
create index model_prices_changes on public.model_prices (valid_from);

comment on table public.model_prices is
    'Prices in US dollars per unit_qty units, each in force from valid_from until the next row of the same kind.';
comment on column public.model_prices.org_id is 'Null: the list price, for everyone. Else a price only this organization pays.';
comment on column public.model_prices.model is 'Price model; price_aliases says which model names it covers.';
comment on column public.model_prices.dimension is
    'What is counted: input_text, cached_text, output_image, web_search_calls, …';
comment on column public.model_prices.service_tier is 'Tier that served the call; what is not a token is always standard.';
comment on column public.model_prices.context_min_tokens is 'Applies to calls with more input tokens than this; 0: to all.';
comment on column public.model_prices.qualifier is
    'Narrower kind of the same dimension, such as an image''s size+quality; empty: the usual one.';
comment on column public.model_prices.unit_price is 'US dollars for unit_qty units.';
comment on column public.model_prices.unit_qty is 'Units the price is for: 1000000 tokens, 3600 seconds, 1000 calls, 1 image.';
comment on column public.model_prices.valid_from is
    'First moment (UTC) at which the price is in force; calls are priced by their start.';
comment on column public.model_prices.revision is
    'The highest of the same valid_from counts; more than 1: corrects an earlier row.';
comment on column public.model_prices.source is 'Where the price was read.';
comment on column public.model_prices.created_by is 'The person who entered it; null for the shipped list.';

create trigger append_only before update or delete on public.model_prices
    for each row execute function private.refuse_change();
create trigger append_only_truncate before truncate on public.model_prices
    for each statement execute function private.refuse_change();

create table public.price_aliases (
    kind text not null check (kind in ('exact', 'prefix', 'regex')),
    pattern text not null check (length(pattern) between 1 and 200),
    model text not null check (model = lower(btrim(model)) and length(model) between 1 and 200),
    ord integer not null,
    primary key (kind, pattern),
    -- Matching once here refuses a broken expression when it comes in, not when a call is priced.
    check (case when kind = 'regex' then '' ~ pattern is not null else pattern = lower(btrim(pattern)) end)
);
comment on table public.price_aliases is 'Names under which OpenAI serves a price model. The longest matching pattern wins.';
comment on column public.price_aliases.kind is 'exact, prefix, or regex (only from the shipped list).';
comment on column public.price_aliases.pattern is 'Lower-case name, its beginning, or a regular expression.';
comment on column public.price_aliases.model is 'The price model, as in model_prices.';
comment on column public.price_aliases.ord is 'Breaks ties between patterns of the same length: the lowest wins.';
