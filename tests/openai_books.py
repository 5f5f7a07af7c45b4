"""OpenAI's books for tests: fetches and lines written directly, calls priced by the product, and the worked day."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

from ledgers import add_call, add_open_call
from people import People

from webapp.gateway.call import new_id

DAY = date(2026, 10, 14)
Line = tuple[str | None, str, object, str | None, object]  # key, line item, quantity, unit, dollars


def moment(clock: str, day: date = DAY) -> datetime:
    """A time of a day, UTC: moment("14:00:20")."""
    return datetime.fromisoformat(f"{day}T{clock}+00:00").astimezone(UTC)


def id_of(at: datetime) -> UUID:
    """An id of a call that began at the moment, as the gateway makes it."""
    return UUID(str(new_id(int(at.timestamp() * 1000))))


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Sum with all decimals; sum() rounds to 28 digits."""
    with localcontext(prec=200):
        return sum(amounts, Decimal(0))


def linked_key(people: People, who: str = "ada", openai_key: str = "key_proxy") -> UUID:
    """A provider key of the organization, linked to a key of OpenAI's list; the books become real money."""
    org = people.orgs[who]
    people.conn.execute("update public.organizations set books = 'openai' where id = %s", [org])
    version = people.one(
        "insert into public.provider_key_versions (org_id, last4) values (%s, 'xyzA')"
        " on conflict do nothing returning id", org
    )  # fmt: skip
    known = version or people.one("select id from public.provider_key_versions where org_id = %s", org)
    people.conn.execute(
        "insert into public.key_links (org_id, version_id, openai_key_id, how) values (%s, %s, %s, 'admin')",
        [org, known["id"], openai_key],
    )
    return known["id"]


def fetch(
    people: People, days: dict[date, list[Line]], who: str = "ada", project: str | None = "proj_a", grain: str = "key"
) -> UUID:
    """A complete fetch with these lines, each day whole."""
    org = people.orgs[who]
    made = people.one(
        "insert into public.openai_fetches (org_id, source, grain, from_day, until_day) values (%s, 'api', %s, %s, %s)"
        " returning id, n", org, grain, min(days), max(days) + timedelta(days=1),
    )  # fmt: skip
    for day, lines in days.items():
        amount = exact_sum(Decimal(str(line[4])) for line in lines)
        people.conn.execute(
            "insert into public.openai_days values (%s, %s, %s, %s, %s, %s, true)",
            [org, day, made["n"], made["id"], amount, len(lines)],
        )
        for key, item, quantity, unit, dollars in lines:
            people.conn.execute(
                "insert into public.openai_cost_lines (fetch_id, org_id, day, openai_project_id, openai_key_id,"
                " line_item, quantity, quantity_unit, amount) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [made["id"], org, day, project, key, item, quantity, unit, Decimal(str(dollars))],
            )  # fmt: skip
    return made["id"]


def minute(
    people: People, fetch_id: UUID, at: datetime, model: str, requests: int = 1, key: str = "key_proxy", **counts: int
) -> None:
    """What OpenAI counted in one minute."""
    people.conn.execute(
        "insert into public.openai_usage_lines (fetch_id, org_id, path, start_at, width, openai_key_id, model,"
        " requests, counts) select id, org_id, 'completions', %s, '1m', %s, %s, %s, %s"
        " from public.openai_fetches where id = %s",
        [at, key, model, requests, json.dumps(counts), fetch_id],
    )  # fmt: skip


def call(
    people: People, version: UUID | None, at: datetime, model: str, usage: dict[str, Any] | None,
    tools: dict[str, Any] | None = None, who: str = "ada", seconds: float = 1, **changes: Any
) -> UUID:  # fmt: skip
    """A settled call, priced as the product prices it."""
    row = {
        "id": id_of(at),
        "service_tier": "default",
        "endpoint": "/v1/responses",
        "upstream": "openai",
    } | changes
    people.conn.execute("select app.ensure_partition(%s)", [at.date()])
    priced = people.one(
        "select cost, cost_status, cost_lines::text from app.price_usage(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        people.orgs[who], row["endpoint"], model, model, row["service_tier"], row.get("batch", False),
        json.dumps(usage) if usage else None,
        json.dumps(tools) if tools else None, at,
    )  # fmt: skip
    priced |= {
        "settled_at": at + timedelta(seconds=seconds),
        "latency_ms": int(min(seconds * 1000, 2**31 - 1)),
        "model": model,
    }
    return add_call(
        people,
        who,
        at,
        **(priced | {"model_requested": model, "provider_key_id": version, "usage": usage} | row),
    )


def doubtful(
    people: People, version: UUID | None, at: datetime, model: str, who: str = "ada", minutes: int = 10
) -> UUID:
    """A call that was opened and never settled, its deadline past."""
    people.conn.execute("select app.ensure_partition(%s)", [at.date()])
    return add_open_call(
        people, who, at, id=id_of(at), deadline_at=at + timedelta(minutes=minutes), model_requested=model,
        upstream="openai",
        endpoint="/v1/responses", provider_key_id=version,
    )  # fmt: skip


def own_price(people: People, model: str, dimension: str, per_million: str, who: str = "ada", **changes: Any) -> None:
    """A price of the organization's own, since ever."""
    row = {"org_id": people.orgs[who], "model": model, "dimension": dimension, "service_tier": "standard",
           "unit_price": Decimal(per_million), "unit_qty": 1_000_000, "source": "own", "valid_from": "-infinity",
           "context_min_tokens": 0} | changes  # fmt: skip
    people.conn.execute(
        f"insert into public.model_prices ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})", [*row.values()]
    )


def compare(people: People, day: date = DAY, who: str = "ada") -> list[dict[str, Any]]:
    """Compare a day; the parts that are differences. Checks at once that they add up."""
    people.conn.execute("select app.reconcile_day(%s, %s)", [people.orgs[who], day])
    people.conn.execute("set constraints all immediate")
    people.conn.execute("set constraints all deferred")
    return people.all(
        "select * from public.reconciled_parts where org_id = %s and day = %s and reason <> 'agrees' order by n",
        people.orgs[who], day,
    )  # fmt: skip


def named(parts: list[dict[str, Any]]) -> dict[tuple[str, str], Decimal]:
    """{(line, reason): dollars}."""
    return {(part["line"], part["reason"]): part["amount"] for part in parts}


EACH = """
with f as (
    insert into public.openai_fetches (org_id, source, from_day, until_day)
    values (%(org)s, 'api', %(day)s, %(day)s + 1)
    returning *
), a as (
    insert into private.admin_keys (org_id, ciphertext, last4) values (%(org)s, 'c', %(mark)s)
), d as (
    insert into public.openai_days select org_id, from_day, n, id, 2, 1, true from f
), c as (
    insert into public.openai_cost_lines (fetch_id, org_id, day, openai_key_id, openai_project_id, line_item, amount)
    select id, org_id, from_day, %(mark)s, %(mark)s, %(mark)s, 2 from f
), u as (
    insert into public.openai_usage_lines (fetch_id, org_id, path, start_at, width, openai_key_id, model)
    select id, org_id, 'completions', from_day, '1d', %(mark)s, %(mark)s from f
), p as (
    insert into public.openai_projects (org_id, id, name, seen_at) select org_id, %(mark)s, %(mark)s, at from f
), k as (
    insert into public.openai_keys (org_id, id, name, ending, owner, seen_at)
    select org_id, %(mark)s, %(mark)s, %(mark)s, %(mark)s, at from f
), v as (
    insert into public.provider_key_versions (org_id, last4, until) select org_id, %(mark)s, at from f returning *
), l as (
    insert into public.key_links (org_id, version_id, openai_key_id, how) select org_id, id, 'linked', 'admin' from v
), x as (
    insert into public.line_aliases (org_id, line_item, means) select org_id, %(mark)s, %(mark)s from f
), r as (
    insert into public.reconciled_days (org_id, day, fetch_id, openai, ledger, state)
    select org_id, from_day, id, 2, 0, '' from f
), q as (
    insert into public.reconciled_parts (org_id, day, n, line, reason, amount, openai_key_id, openai_project_id)
    select org_id, from_day, 1, %(mark)s, 'outside_key', 2, %(mark)s, %(mark)s from f
)
insert into public.month_closes (org_id, month, status, note)
select org_id, date_trunc('month', from_day), 'reopened', %(mark)s from f
"""


def row_in_each(people: People, who: str, mark: str) -> None:
    """A row of the organization in every table and view of OpenAI's books, each text in it ``mark``."""
    people.conn.execute(EACH, {"org": people.orgs[who], "day": DAY, "mark": mark})


def each_reads_the_own(people: People, relation: str, everybodys: int = 0) -> None:
    """Assert that Ada and Dev read the row of Acme, Eve the one of Evil, and who has no organization none.

    everybodys: how many rows of no organization all of them read too.
    """
    row_in_each(people, "ada", "acme")
    row_in_each(people, "eve", "evil")
    for who in ("ada", "dev", "eve"):
        with people.as_(who):
            rows = [row["org_id"] for row in people.all(f"select org_id from public.{relation}")]
        assert (rows.count(people.orgs[who]), rows.count(None), len(rows)) == (1, everybodys, 1 + everybodys)
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.all(f"select from public.{relation}") == []


WORKED = [
    ("key_proxy", "gpt-4o-mini-2024-07-18, input", 1200000, "tokens", "0.18"),
    ("key_proxy", "gpt-4o-mini-2024-07-18, cached input", 400000, "tokens", "0.03"),
    ("key_proxy", "gpt-4o-mini-2024-07-18, output", 108000, "tokens", "0.0648"),
    ("key_proxy", "gpt-5.4-2026-03-05, input, long context", 300000, "tokens", "1.5"),
    ("key_proxy", "priority | gpt-5.4-2026-03-05, output", 2000, "tokens", "0.06"),
    ("key_proxy", "gpt-5.6-luna, output", 19287, "tokens", 0),
    ("key_proxy", "gpt-4.1-2025-04-14, output", 50000, "tokens", "0.36"),
    ("key_proxy", "web search tool calls", 7, None, "0.07"),
    ("key_laptop", "gpt-5.4-2026-03-05, output", 10000, "tokens", "0.15"),
    ("key_proxy", "file search tool calls", None, None, "0.005"),
    (None, "evals | gpt-4o-mini-2024-07-18, input", 10000, "tokens", "0.0015"),
]
PROVEN = {"input_uncached_tokens": 50000, "input_cached_tokens": 0, "output_tokens": 8000}  # of the call in doubt
NEXT_DAY = [("key_proxy", "gpt-4o-mini-2024-07-18, output", 3000, "tokens", "0.0018")]


def worked_day(people: People) -> dict[str, UUID]:
    """The ledger and OpenAI's books of one day with each kind of difference; the ids of its calls and of its fetch."""
    ids = worked_ledger(people, linked_key(people))
    made = fetch(people, {DAY: WORKED, DAY + timedelta(days=1): NEXT_DAY})
    minute(people, made, moment("15:02:00"), "gpt-4o-mini-2024-07-18", **PROVEN)
    return ids | {"fetch": made}


def worked_ledger(people: People, key: UUID) -> dict[str, UUID]:
    """The ledger of the worked day, its calls made with this provider key; the ids of two calls."""
    tokens = {"input_tokens": 0, "output_tokens": 0}
    for model, dimension, price in (
        ("gpt-5.6-luna", "output_text", "1.2"), ("gpt-4.1", "output_text", "8"), ("gpt-5.4", "output_text", "15"),
    ):  # fmt: skip
        own_price(people, model, dimension, price)
    own_price(people, "gpt-5.4", "output_text", "30", service_tier="priority")
    own_price(people, "gpt-5.4", "input_text", "5", context_min_tokens=272000)
    mini, five = "gpt-4o-mini-2024-07-18", "gpt-5.4-2026-03-05"
    many = {"input_tokens": 1550000, "output_tokens": 100000, "input_tokens_details": {"cached_tokens": 400000}}
    call(people, key, moment("09:00:00"), mini, many)
    call(people, key, moment("10:00:00"), five, tokens | {"input_tokens": 300000})
    call(people, key, moment("11:00:00"), five, tokens | {"output_tokens": 2000}, service_tier="priority")
    call(people, key, moment("12:00:00"), "gpt-5.6-luna", tokens | {"output_tokens": 19287})
    call(people, key, moment("13:00:00"), "gpt-4.1-2025-04-14", tokens | {"output_tokens": 50000})
    call(people, key, moment("14:00:00"), five, None, tools={"web_search_calls": 6})
    late = call(people, key, moment("23:59:50"), mini, tokens | {"output_tokens": 3000}, seconds=22)
    doubt = doubtful(people, key, moment("15:00:00"), mini)
    return {"late": late, "doubt": doubt, "key": key}
