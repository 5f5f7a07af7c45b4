"""The shipped price list: db/prices/*.csv into model_prices and price_aliases."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.types.json import Jsonb

from webapp.config import ROOT

PRICES = ROOT / "db" / "prices"

# A price that is in the table is never changed: a corrected price is a new row with the next revision.
LOAD_PRICES: LiteralString = """
insert into public.model_prices
    (model, dimension, service_tier, context_min_tokens, qualifier, unit_price, unit_qty, valid_from, revision,
    source, note)
select model, dimension, service_tier, context_min_tokens, coalesce(qualifier, ''), unit_price, unit_qty, valid_from,
    coalesce(revision, 1), source, note
from jsonb_to_recordset(%s) as listed (
    model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, unit_price numeric,
    unit_qty numeric, valid_from timestamptz, revision integer, source text, note text)
on conflict do nothing
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
    loaded += conn.execute(LOAD_ALIASES, [_read(PRICES / "price_aliases.csv")]).rowcount
    # Query plans made while the tables were empty would read the whole tables for every call.
    conn.execute("analyze public.model_prices, public.price_aliases")
    return loaded
