"""OpenAI's books of the demo organization: made up from its own calls, with each kind of difference somewhere.

From the first of the month before until yesterday. The same day always has the same lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from webapp.launch.demo_calls import MIDNIGHT_DAY

KEY, LAPTOP, OLD = "key_demo", "key_laptop", "key_ci"
PROJECTS = {"proj_demo": "Production", "proj_lab": "Lab"}
KEYS = (
    {"id": KEY, "openai_project_id": "proj_demo", "name": "spendai", "ending": "d3mo", "owner": "SpendAI"},
    {"id": LAPTOP, "openai_project_id": "proj_lab", "name": "laptop of Noor", "ending": "x7Qa", "owner": "Noor Haddad"},
    {"id": OLD, "openai_project_id": "proj_demo", "name": "old CI", "ending": "9fPz", "owner": "ci"},
)
NEW_MODEL = {"input": Decimal("2e-6"), "output": Decimal("8e-6")}  # OpenAI's prices of the model without a price here
NEW_PRICE_LINE, NEW_PRICE = "flex | o4-mini, output", Decimal("1.6e-6")  # OpenAI used it a day before its date
OWN_RATE, OTHER_PRICE = Decimal("0.9"), Decimal("1.0731")
# Day of the month → line that OpenAI bills in another way than the ledger has it.
FREE, DEARER, DROPPED, MORE = 5, 8, 12, 14
FULL = 28  # days: fewer show no month
CORRECTED = """
insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason)
select u.org_id, u.id, u.started_at, -0.05, 'OpenAI took this call back' from public.usage_logs u
where u.org_id = %(org)s and u.started_at >= %(first)s and u.started_at < %(end)s and u.cost > 0.05
order by u.started_at limit 1
"""
TYPED_IN = """
select app.call_end(u.org_id, u.id, 0.012, 'as the support of OpenAI told') from (
    select u.org_id, u.id from public.usage_logs u
    where u.org_id = %(org)s and u.started_at >= %(first)s and u.started_at < %(end)s and u.cost_status = 'no_usage'
    order by u.started_at limit 1
) u
"""
ANNOUNCED = """
insert into public.model_prices (org_id, model, dimension, service_tier, unit_price, unit_qty, valid_from, source, note)
values (%(org)s, 'o4-mini', 'output_text', 'flex', %(price)s, 1000000, %(next)s, 'admin', 'announced by OpenAI')
"""
Line = dict[str, Any]


def key_version(conn: psycopg.Connection, org_id: UUID, since: datetime) -> UUID:
    """The version of the provider key that the demo's calls were made with, and its link; made if missing."""
    found = conn.execute("select id from public.provider_key_versions where org_id = %s", [org_id]).fetchone()
    if found:
        return found[0]
    (made,) = conn.execute(
        "insert into public.provider_key_versions (org_id, last4, since) values (%s, 'd3mo', %s) returning id",
        [org_id, since],
    ).fetchone()
    link = (
        "insert into public.key_links (org_id, version_id, openai_key_id, how, since) values (%s, %s, %s, 'ending', %s)"
    )
    conn.execute(link, [org_id, made, KEY, since])
    return made


def fill(conn: psycopg.Connection, org_id: UUID, now: datetime) -> int:
    """Store the books up to yesterday if they are not there yet; returns how many days they have."""
    today = now.astimezone(UTC).date()
    first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    newest = conn.execute("select max(day) from public.openai_days where org_id = %s", [org_id]).fetchone()[0]
    since = max(first, newest + timedelta(days=1)) if newest else first
    days = [since + timedelta(days=n) for n in range((today - since).days)]
    if not days:
        return 0
    if not newest and len(days) >= FULL:
        _people(conn, org_id, days[0])
    books = {day: list(_lines(conn, org_id, day)) for day in days}
    usage = [line for day in days for line in _minutes(conn, org_id, day, books[day])] + _requests(days, books)
    early = [day for day in days if day.day == 3]
    if early:  # OpenAI restated the 3rd: what was fetched first lacked the last lines
        _store(conn, org_id, early, {day: books[day][:-2] for day in early}, [])
    _store(conn, org_id, days, books, usage)
    return len(days)


def _people(conn: psycopg.Connection, org_id: UUID, first: date) -> None:
    """What people did in the first month: a correction, a cost typed in, a price of their own from the month after."""
    words = {"org": org_id, "first": first, "end": first + timedelta(days=28), "price": NEW_PRICE * 1_000_000,
             "next": f"{(first + timedelta(days=32)).replace(day=1)}T00:00:00Z"}  # fmt: skip
    conn.execute(CORRECTED, words)
    conn.execute(TYPED_IN, words)
    conn.execute(ANNOUNCED, words)


def _store(
    conn: psycopg.Connection, org_id: UUID, days: list[date], books: dict[date, list[Line]], usage: list[Line]
) -> None:
    used = f"{days[-1]}T17:20Z"
    fetch = {
        "source": "api", "from_day": str(days[0]), "until_day": str(days[-1] + timedelta(days=1)), "requests": 14,
        "days": [{"day": str(day), "whole": True} for day in days],
        "costs": [line | {"day": str(day)} for day in days for line in books[day]], "usage": usage,
        "projects": [{"id": name, "name": words, "status": "active"} for name, words in PROJECTS.items()],
        "keys": [
            key | {"owner_kind": "user" if key["id"] == LAPTOP else "service_account", "last_used_at": used}
            for key in KEYS
        ],
    }  # fmt: skip
    conn.execute("select app.books_store(%s, %s)", [org_id, Jsonb(fetch)])


def _line(
    item: str, quantity: Decimal | None, amount: Decimal, key: str | None = KEY, unit: str | None = "tokens"
) -> Line:
    project = "proj_lab" if key in (LAPTOP, None) else "proj_demo"
    return {
        "openai_project_id": project, "openai_key_id": key, "line_item": item, "quantity_unit": unit,
        "quantity": None if quantity is None else str(quantity), "amount": str(amount),
    }  # fmt: skip


def _lines(conn: psycopg.Connection, org_id: UUID, day: date) -> Iterator[Line]:
    """OpenAI's lines of a day: those of the ledger, some of them changed, and those past SpendAI."""
    ledger = conn.cursor(row_factory=dict_row).execute(
        "select * from app.ledger_lines(%s, %s) where quantity + unpriced > 0 order by line", [org_id, day]
    )
    for row in ledger.fetchall():
        item, quantity, amount = row["line"], row["quantity"], row["cost"]
        if quantity and day.day in (MIDNIGHT_DAY, MIDNIGHT_DAY + 1) and row["late"]:  # OpenAI counts calls by their end
            quantity, amount = quantity + row["late"], amount * (quantity + row["late"]) / quantity
        if row["unpriced"] and not quantity:
            price = NEW_MODEL["output" if item.endswith("output") else "input"]
            yield _line(item, row["unpriced"], row["unpriced"] * price)
        elif row["model"] == "gpt-4.1-nano":
            yield _line(item, quantity, amount * OWN_RATE)
        elif row["model"] == "gpt-4o-mini" and day.day == FREE:
            yield _line(item, quantity, Decimal(0))
        elif item.startswith("text-embedding") and day.day == DEARER:
            yield _line(item, quantity, amount * OTHER_PRICE)
        elif item == NEW_PRICE_LINE and (day + timedelta(days=1)).day == 1:
            yield _line(item, quantity, quantity * NEW_PRICE)
        elif item == "gpt-4.1, output" and day.day == MORE:
            more = Decimal(12_345)
            yield _line(item, quantity + more, amount * (quantity + more) / quantity)
        elif not (item == "gpt-4.1-mini, cached input" and day.day == DROPPED):
            yield _line(item, quantity, amount)
    yield from _past_us(day)


def _past_us(day: date) -> Iterator[Line]:
    """What was spent at OpenAI without SpendAI, and lines that need an explanation."""
    if day.day % 4 == 1:
        yield _line("gpt-5-2025-08-07, output", Decimal(118_000), Decimal("1.18"), LAPTOP)
        yield _line("gpt-5-2025-08-07, input", Decimal(410_000), Decimal("0.5125"), LAPTOP)
    if day.day == 11:
        yield _line("o3-2025-04-16, output", Decimal(20_000), Decimal("0.16"))
        yield _line("file search tool calls", None, Decimal("0.35"), unit=None)
    if day.day == 17:
        yield _line("agent workspace storage", Decimal(3), Decimal("1.25"), unit="gibibyte_hours")
        yield _line("gpt-4o-2024-08-06, output", Decimal(9_000), Decimal("0.09"), OLD)
    yield _line("evals | gpt-4o-mini-2024-07-18, input", Decimal(90_000 + 1_000 * day.day), Decimal("0.0135"), None)
    yield _line("gpt-4o-2024-08-06, input", Decimal(4_000), Decimal("0.01"), None)


def _minutes(conn: psycopg.Connection, org_id: UUID, day: date, lines: list[Line]) -> Iterator[Line]:
    """Minutes that prove the calls in doubt and without usage, whose tokens are added to OpenAI's lines."""
    found = conn.execute(
        "select started_at, coalesce(model, model_requested) from public.usage_logs where org_id = %s"
        " and started_at >= %s and started_at < %s and cost is null and cost_status is distinct from 'unpriced_model'",
        [org_id, datetime(day.year, day.month, day.day, tzinfo=UTC), datetime(day.year, day.month, day.day, tzinfo=UTC)
         + timedelta(days=1)],
    ).fetchall()  # fmt: skip
    for at, model in found:
        counts = {"input_uncached_tokens": 6000, "input_cached_tokens": 0, "output_tokens": 500}
        for kind, count in (("input", 6000), ("output", 500)):
            for line in lines:
                if line["line_item"] == f"{model}, {kind}" and Decimal(line["quantity"]):
                    price = Decimal(line["amount"]) / Decimal(line["quantity"])
                    line["quantity"] = str(Decimal(line["quantity"]) + count)
                    line["amount"] = str(Decimal(line["amount"]) + price * count)
        minute = at.replace(second=0, microsecond=0).isoformat()
        yield {"path": "completions", "start_at": minute, "width": "1m", "openai_project_id": "proj_demo",
               "openai_key_id": KEY, "model": model, "batch": False, "requests": 1, "counts": counts}  # fmt: skip


def _requests(days: list[date], books: dict[date, list[Line]]) -> list[Line]:
    """How many requests OpenAI counted with the keys that are not SpendAI's."""
    return [
        {"path": "completions", "start_at": f"{day}T00:00:00Z", "width": "1d", "openai_key_id": key, "counts": {},
         "openai_project_id": "proj_lab" if key == LAPTOP else "proj_demo", "model": "gpt-5", "requests": 37}
        for day in days for key in (LAPTOP, OLD) if any(line["openai_key_id"] == key for line in books[day])
    ]  # fmt: skip
