"""The files of a month's archive: for each a query and, by the columns it returns, the types of its Parquet file."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from webapp.periods import months_later

# File → its query. {calls}: the table of the month's calls. {since}, {until}: its first moment and that of the next.
# {month}: its first day.
QUERIES = {
    "calls": """
        select c.*, o.name as organization, p.name as project, k.name as key, k.prefix as key_prefix
        from {calls} c
        left join public.organizations o on o.id = c.org_id
        left join public.projects p on p.id = c.project_id
        left join public.api_keys k on k.id = c.api_key_id
        order by c.org_id, c.started_at, c.id""",
    # Of the calls of the month, whenever they were booked.
    "corrections": """
        select a.* from public.cost_adjustments a
        where a.call_started_at >= {since} and a.call_started_at < {until} order by a.org_id, a.at, a.id""",
    "fills": """
        select f.* from public.cost_fills f
        where f.call_started_at >= {since} and f.call_started_at < {until} order by f.org_id, f.at, f.id""",
    # The WebSocket sessions that retention_drop removes with the month.
    "sessions": """
        select s.*, o.name as organization, p.name as project, k.name as key, k.prefix as key_prefix
        from app.retention_sessions({month}) s
        left join public.organizations o on o.id = s.org_id
        left join public.projects p on p.id = s.project_id
        left join public.api_keys k on k.id = s.api_key_id
        order by s.org_id, s.started_at, s.id""",
    # Every price that a cost line of a call, or the details of a correction, name. valid_from: null where it has no
    # beginning.
    "prices": """
        select m.id, m.org_id, m.model, m.dimension, m.service_tier, m.context_min_tokens, m.qualifier, m.unit_price,
            m.unit_qty, nullif(m.valid_from, '-infinity') as valid_from, m.revision, m.source, m.note, m.created_at,
            m.created_by
        from public.model_prices m where m.id in (
            select (l ->> 'price_id')::bigint from {calls} c cross join lateral jsonb_array_elements(c.cost_lines) l
            where jsonb_typeof(c.cost_lines) = 'array'
            union
            select i.id::bigint from public.cost_adjustments a
            cross join lateral jsonb_array_elements_text(coalesce(a.details -> 'price_ids', '[]')) i (id)
            where a.call_started_at >= {since} and a.call_started_at < {until}
        ) order by m.id""",
}
# Columns added up in the database and again in the file, to check that they agree; the sums are in the manifest.
SUMS = {
    "calls": ("tokens_in", "tokens_cached", "tokens_out", "cost"),
    "corrections": ("delta",),
    "fills": ("cost",),
    "sessions": (),
    "prices": (),
}
LATER = {"sessions": 2}  # file → the first format of manifest.json that has it; all others are in every format
# Types kept as they are. numeric(p, s) becomes a decimal (see _type), all others (uuid, jsonb, text) text.
TYPES = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}


def query(name: str, calls: sql.Composable, month: date) -> sql.Composed:
    """The query of a file. calls: the table of the month's calls; month: its first day."""
    moments = [
        sql.SQL("{}::timestamptz").format(sql.Literal(f"{day}T00:00:00Z")) for day in (month, months_later(month, 1))
    ]
    first = sql.Literal(month)
    return sql.SQL(QUERIES[name]).format(calls=calls, since=moments[0], until=moments[1], month=first)


def arrow_types(conn: psycopg.Connection[Any], asked: sql.Composable) -> dict[str, pa.DataType]:
    """Column → type in Parquet, of the columns that a query returns."""
    cursor = conn.execute(sql.SQL("select * from ({}) q limit 0").format(asked))
    return {column.name: _type(column) for column in cursor.description or ()}


def _type(column: psycopg.Column) -> pa.DataType:
    if column.type_display.startswith("numeric"):
        if column.precision is None:
            return pa.string()  # of any length: as text no digit is lost
        return pa.decimal128(column.precision, column.scale or 0)
    known = psycopg.adapters.types.get(column.type_code)
    return TYPES.get(known.name if known else "", pa.string())
