"""Compares totals of days and hours with sums of the calls that are not made by the code under test."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from ledgers import DAY, add_call, add_open_call, adjust
from people import People
from spending import another_key

NUMBERS = ("calls", "tokens_in", "tokens_cached", "tokens_out", "cost", "unpriced_calls", "no_usage_calls",
           "in_doubt_calls", "error_calls", "adjustments", "cost_corrected")  # fmt: skip
WORDS = ("day", "project", "key", "model", "endpoint", "service_tier", "status", "end_user", "tag")
COLUMNS = {"project": "project_id", "key": "key_id"}  # columns of app.sums that are not named as the word is
MIDNIGHT = DAY.replace(hour=0)
EARLY, LATE = MIDNIGHT - timedelta(days=9), MIDNIGHT + timedelta(days=9)
# spend_* view → the column it groups by, and the same of a booking
VIEWS = {
    "spend_daily": ("null", "null"),
    "spend_by_project": ("project_id", "project_id"),
    "spend_by_model": ("model", "model"),
    "spend_by_key": ("api_key_id", "api_key_id"),
    "spend_by_end_user": ("end_user", "end_user"),
    "spend_by_tag": ("tag", "x.key || '=' || x.value"),
}
# Writes rows of open calls from their settle messages. A call without one gets its row when it is settled.
OPEN = """
insert into public.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, state, upstream, endpoint,
    method, stream, batch, model_requested, end_user, tags)
select id, org_id, project_id, api_key_id, started_at, started_at + interval '9 days', 'open', upstream, endpoint,
    method, stream, false, model_requested, end_user, tags
from jsonb_populate_recordset(null::app.settlement, %s::jsonb)
"""
Row = dict[str, Any]
Filters = dict[str, list[str]]
Busy = tuple[People, dict[str, str], list[Row]]  # of the fixture `busy`


def differences(people: People) -> list[Row]:
    """Rows of app.totals_differences: none, if everything is right."""
    return people.all("select * from app.totals_differences('-infinity')")


def by_view(people: People, view: str, who: str) -> list[tuple[Row, Row]]:
    """Rows of a spend_* view that differ from the sums of bookings, beside those."""
    word, expression = VIEWS[view]
    tags = "cross join jsonb_each_text(e.tags) x" if view == "spend_by_tag" else ""
    added = ", ".join(f"coalesce(sum({name}), 0) as {name}" for name in NUMBERS)
    with people.as_(who):
        kept = people.all(f"select day, {word} as word, {', '.join(NUMBERS)} from public.{view}")
        real = people.all(
            f"select (e.at at time zone 'utc')::date as day, {expression} as word, {added}"
            f" from public.bookings e {tags} group by 1, 2 having sum(calls) <> 0 or sum(adjustments) <> 0"
        )
    left, right = ({(row["day"], row["word"]): row for row in rows} for rows in (kept, real))
    return [(left.get(key), right.get(key)) for key in left | right if left.get(key) != right.get(key)]


def by_hour(people: People, word: str, who: str) -> list[tuple[Row, Row]]:
    """Sums of an hour that differ from those of bookings, beside those; word: model, or a kind of labels."""
    added = ", ".join(f"coalesce(sum({name}), 0) as {name}" for name in NUMBERS)
    some = "group by 1, 2 having sum(calls) <> 0 or sum(adjustments) <> 0"
    view, expression = {
        "model": ("hourly_entries", "model"),
        "end_user": ("hourly_label_entries where kind = 'end_user'", "end_user"),
        "tag": ("hourly_label_entries where kind = 'tag'", "x.key || '=' || x.value"),
    }[word]
    tags = "cross join jsonb_each_text(e.tags) x" if word == "tag" else ""
    users = "where e.end_user is not null" if word == "end_user" else ""
    with people.as_(who):
        kept = people.all(
            f"select hour, {'model' if word == 'model' else 'label'} as word, {added} from public.{view} {some}"
        )
        real = people.all(
            f"select to_timestamp(floor(extract(epoch from e.at) / 3600) * 3600) as hour, {expression} as word, {added}"
            f" from public.bookings e {tags} {users} {some}"
        )
    left, right = ({(row["hour"], row["word"]): row for row in rows} for rows in (kept, real))
    return [(left.get(key), right.get(key)) for key in left | right if left.get(key) != right.get(key)]


def all_is_well(people: People) -> None:
    """Assert that totals and labels of days and hours, and what people see of them, are the sums of the calls."""
    assert differences(people) == []
    for who in ("ada", "eve"):
        for view in VIEWS:
            assert by_view(people, view, who) == [], view
        for word in ("model", "end_user", "tag"):
            assert by_hour(people, word, who) == [], word


def entries(people: People, who: str = "ada") -> list[Row]:
    """Calls and corrections of the organization's books, each with its moment and the words of filters."""
    org = people.orgs[who]
    books = people.one("select books from public.organizations where id = %s", org)["books"]
    calls = people.all(
        "select *, state = 'open' and deadline_at < now() as doubtful from public.usage_logs"
        " where org_id = %s and upstream = %s", org, books,
    )  # fmt: skip
    fixes = defaultdict(list)
    for fix in people.all("select * from public.cost_adjustments where org_id = %s", org):
        fixes[fix["call_id"], fix["call_started_at"]].append(fix)
    found = []
    for call in calls:
        doubtful = call["doubtful"]
        words = {
            "id": call["id"], "project": str(call["project_id"]), "key": str(call["api_key_id"]),
            "model": call["model"] if call["model"] is not None else call["model_requested"],
            "endpoint": call["endpoint"], "service_tier": call["service_tier"], "status": call["status_code"],
            "cost_status": call["cost_status"], "end_user": call["end_user"], "tags": call["tags"],
            "doubtful": doubtful,
        }  # fmt: skip
        numbers = {name: call[name] or 0 for name in ("tokens_in", "tokens_cached", "tokens_out", "cost")} | {
            "calls": 1, "unpriced_calls": call["cost_status"] in ("unpriced_model", "unpriced_dimension"),
            "no_usage_calls": call["cost_status"] in ("no_usage", "pending_object"), "in_doubt_calls": doubtful,
            "error_calls": (call["status_code"] or 0) >= 400, "cost_corrected": call["cost"] or 0,
        }  # fmt: skip
        found.append(words | numbers | {"at": call["started_at"]})
        for fix in fixes[call["id"], call["started_at"]]:
            booked = words | {"doubtful": False}
            found.append(booked | {"at": fix["at"], "cost": fix["delta"], "adjustments": fix["delta"]})
            found.append(booked | {"at": call["started_at"], "cost_corrected": fix["delta"]})
    return found


def fits(entry: Row, filters: Filters) -> bool:
    """Whether a call or a correction passes every filter."""
    for word, wanted in filters.items():
        name = word.removeprefix("not_")
        if name == "tag":
            has = {word for key, value in entry["tags"].items() for word in (key, f"{key}={value}")} or {""}
        elif name == "status":
            has = {str(entry["status"] or "")} | ({"error"} if (entry["status"] or 0) >= 400 else set())
        elif name == "cost_status":
            has = {entry["cost_status"] or ""} | ({"in_doubt"} if entry["doubtful"] else set())
        else:
            has = {entry[name] or ""}
        if bool(has & set(wanted)) == (word != name):
            return False
    return True


def added_up(
    found: Iterable[Row], since: datetime, until: datetime, words: Iterable[str], filters: Filters
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The sums of a period as app.sums must return them: words of the group → numbers."""
    words = set(words)
    groups: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0] * len(NUMBERS))
    for entry in found:
        if not since <= entry["at"] < until or not fits(entry, filters):
            continue
        named = entry | {"day": entry["at"].astimezone(UTC).date()}
        tags = [f"{key}={value}" for key, value in entry["tags"].items()] if "tag" in words else []
        for tag in tags or [None]:
            group = groups[tuple((named | {"tag": tag})[word] if word in words else None for word in WORDS)]
            for place, name in enumerate(NUMBERS):
                group[place] += entry.get(name, 0)
    return {key: tuple(sums) for key, sums in groups.items() if sums[0] or sums[NUMBERS.index("adjustments")]}


def app_sums(
    people: People, since: Any, until: Any, words: Iterable[str], filters: Filters, who: str = "ada"
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The rows of app.sums, in the same shape."""
    with people.as_(who):
        rows = people.all(
            "select * from app.sums(%s, %s, %s, %s::jsonb, 'UTC', null, null)",
            since,
            until,
            list(words),
            json.dumps(filters),
        )
    found = {}
    for row in rows:
        values = (row[COLUMNS.get(word, word)] for word in WORDS)
        found[tuple(str(value) if isinstance(value, UUID) else value for value in values)] = tuple(
            row[name] for name in NUMBERS
        )
    assert len(found) == len(rows), "two rows of one group"
    return found


KINDS: tuple[Row, ...] = (
    {}, {"cost": 0, "cost_status": "error", "status_code": 429},
    {"cost": None, "cost_status": "unpriced_model", "model": "gpt-99"}, {"cost": Decimal("0.25")},
    {"cost": None, "cost_status": "no_usage", "tokens_out": None, "status_code": None}, {"state": "open"},
    {"cost": None, "cost_status": "pending_object", "model": None, "tokens_in": None}, {"upstream": "openai"},
    {"cost": 0, "cost_status": "free", "endpoint": "/v1/models", "model": None, "model_requested": None},
    {"state": "open", "deadline_at": DAY - timedelta(days=100)}, {"status_code": 500, "cost": 2},
    {"cost_status": "tier_fallback", "service_tier": "flex", "endpoint": "/v1/responses"},
)  # fmt: skip
TAGS: tuple[dict[str, str], ...] = (
    {}, {}, {"team": "web"}, {"team": "web", "env": "live"}, {"team": "ads", "env": "live", "x": "a=b"}
)  # fmt: skip


def many_calls(people: People, count: int = 100) -> dict[str, str]:
    """Calls of every kind over seven days, at their edges too, with corrections; ids of projects and keys by name.

    The same ones every time, but for their ids.
    """
    chance = Random(count)
    project, key = another_key(people, "search")
    spare = people.keys["eve"].id  # any id serves as that of a further key
    owners = ((people.projects["ada"], people.keys["ada"].id), (project, key), (people.projects["ada"], spare))
    for n in range(count):
        at = MIDNIGHT + timedelta(days=n % 7 - 3, hours=chance.choice((0, 0.5, 12, 23.5, 23.9999997)))
        kind, (of_project, of_key), tags = KINDS[n % len(KINDS)], chance.choice(owners), chance.choice(TAGS)
        words = {"project_id": of_project, "api_key_id": of_key, "tags": tags}
        words |= {"end_user": chance.choice((None, "u1", "u1", "u2"))}
        call = (add_open_call if "state" in kind else add_call)(people, "ada", at, **(kind | words))
        if kind.get("cost", 1) and "state" not in kind and chance.random() < 0.5:
            adjust(people, call, Decimal(n + 1) * Decimal("0.001"), at + timedelta(hours=chance.randrange(90)))
        if not n % 9:
            add_call(people, "eve", at, cost=1000, tags=tags, end_user="u1")
    return {"project": str(project), "key": str(key), "spare": str(spare)}
