"""The shipped price list: db/prices/*.csv into model_prices and price_aliases, and its age from list.json."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.types.json import Jsonb

from webapp.config import ROOT

PRICES = ROOT / "db" / "prices"

# A price that is in the table is never changed: a corrected price is a new row with the next revision. A row that a
# sync of this install added is not the list's: where the list has another price for its moment, that is a new revision.
# A price that a person entered for a moment stays in force, whatever the list has for this moment.
LOAD_PRICES: LiteralString = """
insert into public.model_prices
    (model, dimension, service_tier, context_min_tokens, qualifier, unit_price, unit_qty, valid_from, revision,
    source, note)
select l.model, l.dimension, l.service_tier, l.context_min_tokens, l.qualifier, l.unit_price, l.unit_qty, l.valid_from,
    case when there.synced then there.revision + 1 else l.revision end, l.source, l.note
from (
    select model, dimension, service_tier, context_min_tokens, coalesce(qualifier, '') as qualifier, unit_price,
        unit_qty, valid_from, coalesce(revision, 1) as revision, source, note
    from jsonb_to_recordset(%s) as listed (
        model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, unit_price numeric,
        unit_qty numeric, valid_from timestamptz, revision integer, source text, note text)
) l
cross join lateral (
    select max(p.revision) as revision, bool_or(p.source = 'admin' or p.created_by is not null) as personal,
        bool_or(p.revision = l.revision and p.source like 'sync: %%' and not p.same) as synced,
        bool_or(p.revision > l.revision and p.same) as known
    from (
        select p.*, p.unit_price * l.unit_qty = l.unit_price * p.unit_qty as same
        from public.model_prices p
        where p.org_id is null and p.model = l.model and p.dimension = l.dimension and p.service_tier = l.service_tier
            and p.context_min_tokens = l.context_min_tokens and p.qualifier = l.qualifier
            and p.valid_from = l.valid_from
    ) p
) there
where not coalesce(there.personal or there.synced and there.known, false)
on conflict do nothing
"""
LOAD_AGE: LiteralString = """
insert into private.price_sync_runs (kind, as_of, source, counts, difference)
select 'shipped', %(as_of)s::date, %(sources)s, jsonb_build_object('added', %(added)s::integer), '[]'
where not exists (
    select from private.price_sync_runs r
    where r.kind = 'shipped' and (r.as_of, r.source) = (%(as_of)s::date, %(sources)s))
"""
# A pattern that the file has gets the file's model and order; other patterns, added by the operator, are left alone.
LOAD_ALIASES: LiteralString = """
insert into public.price_aliases as known (kind, pattern, model, ord)
select kind, pattern, model, ord
from jsonb_to_recordset(%s) as listed (kind text, pattern text, model text, ord integer)
on conflict (kind, pattern) do update set model = excluded.model, ord = excluded.ord
where (known.model, known.ord) is distinct from (excluded.model, excluded.ord)
"""


def _read(path: Path) -> Jsonb:
    """The file's rows as a JSON array of objects of strings, so that no price passes through a float."""
    with path.open(newline="", encoding="utf-8") as file:
        return Jsonb(list(csv.DictReader(file)))


def load(conn: psycopg.Connection) -> int:
    """Load the shipped files into the database, as owner of the tables; returns how many rows were new or changed.

    Runs in the caller's transaction; running it again changes nothing. Raises psycopg.DataError or
    psycopg.errors.CheckViolation when a row of a file is not a price.
    """
    loaded = conn.execute(LOAD_PRICES, [_read(PRICES / "model_prices.csv")]).rowcount
    age = json.loads((PRICES / "list.json").read_text(encoding="utf-8"))
    conn.execute(LOAD_AGE, age | {"added": loaded})
    loaded += conn.execute(LOAD_ALIASES, [_read(PRICES / "price_aliases.csv")]).rowcount
    # Query plans made while the tables were empty would read the whole tables for every call.
    conn.execute("analyze public.model_prices, public.price_aliases")
    return loaded
