"""app.calls_places: days and keys with calls that may fit; no call that fits is on any other."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from checks import executors
from ledgers import DAY, add_call, add_open_call
from people import People
from pricing import add_price
from spending import days_ago, spent
from test_labels_beyond import FULL
from totals import EARLY, LATE, MIDNIGHT, Busy, fits

PLACES = "select * from app.calls_places(%s, %s, %s::jsonb)"
FILTERS = {
    "model": ["gpt-4o-mini", ""], "endpoint": ["/v1/responses"], "status": ["error"],
    "cost_status": ["in_doubt", "tier_fallback"], "end_user": ["u1", "u2"], "tag": ["team=web", "env"],
    "not_end_user": ["u1"], "not_tag": ["team"], "not_model": ["gpt-99"],
}  # fmt: skip


def places(
    people: People, filters: dict[str, Any], since: datetime = EARLY, until: datetime = LATE, who: str = "ada"
) -> dict[tuple[date, UUID], int]:
    with people.as_(who):
        rows = people.all(PLACES, since, until, json.dumps(filters))
    found = {(row["day"], row["api_key_id"]): row["calls"] for row in rows}
    assert len(found) == len(rows), "a place is named twice"
    return found


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_call_that_fits_is_anywhere_else_and_never_more_than_said(busy: Busy, size: int) -> None:
    people, _, bookings = busy
    calls = [entry for entry in bookings if entry.get("calls")]
    for names in combinations(FILTERS, size):
        filters = {name: FILTERS[name] for name in names}
        for since, until in ((EARLY, LATE), (MIDNIGHT, MIDNIGHT + timedelta(days=1)), (DAY, DAY + timedelta(hours=20))):
            real = Counter((entry["at"].date(), UUID(entry["key"])) for entry in calls
                           if since <= entry["at"] < until and fits(entry, filters))  # fmt: skip
            found = places(people, filters, since, until)
            assert all(found.get(place, 0) >= count for place, count in real.items()), filters


@pytest.mark.parametrize("name", ["model", "endpoint", "status", "cost_status", "key"])
def test_of_what_is_kept_apart_it_says_exactly_how_many(busy: Busy, name: str) -> None:
    people, ids, bookings = busy
    filters = {name: (FILTERS | {"key": [ids["key"], ids["spare"]]})[name]}
    real = Counter((entry["at"].date(), UUID(entry["key"])) for entry in bookings
                   if entry.get("calls") and fits(entry, filters))  # fmt: skip
    assert places(people, filters) == real


def test_end_users_and_tags_narrow_it_down_to_the_days_they_had_calls(people: People) -> None:
    add_call(people, "ada", DAY, end_user="u1")
    add_call(people, "ada", DAY + timedelta(days=1), tags={"team": "web"})
    add_open_call(people, "ada", DAY + timedelta(days=2), end_user="u1", tags={"team": "web"})
    key = people.keys["ada"].id
    days = [((DAY + timedelta(days=n)).date(), key) for n in range(3)]
    assert list(places(people, {"end_user": ["u1"]})) == [days[0], days[2]]
    assert set(places(people, {"tag": ["team"]})) == {days[1], days[2]}
    assert places(people, {"tag": ["team=web"], "end_user": ["u1"]}) == {days[2]: 1}
    assert places(people, {"tag": ["team=web"], "end_user": ["u1"], "status": ["200"]}) == {}


def test_a_label_that_a_day_counts_as_other_may_be_anybodys(people: People) -> None:
    people.conn.execute(FULL, [people.orgs["ada"], DAY.date()])
    add_call(people, "ada", DAY, end_user="u1", tags={"run": "a"})
    add_call(people, "ada", DAY + timedelta(days=1), end_user="u2", tags={"run": "b"})
    key, days = people.keys["ada"].id, [(DAY + timedelta(days=n)).date() for n in range(2)]
    for filters in ({"end_user": ["u1"]}, {"tag": ["run=a"]}):
        assert places(people, filters) == {(days[0], key): 1}
    for filters in ({"end_user": ["u2"]}, {"tag": ["run"]}, {"tag": ["run=b"], "end_user": ["u2"]}):
        assert places(people, filters) == {(day, key): 1 for day in days}


def test_calls_without_an_end_user_or_a_tag_may_be_on_any_day(people: People) -> None:
    add_call(people, "ada", DAY, end_user="u1", tags={"team": "web"})
    add_call(people, "ada", DAY + timedelta(days=1))
    days = {((DAY + timedelta(days=n)).date(), people.keys["ada"].id) for n in range(2)}
    for filters in ({"end_user": [""]}, {"tag": ["", "env"]}, {"not_end_user": ["u1"]}, {"not_tag": ["team"]}):
        assert set(places(people, filters)) == days


def test_a_day_on_which_only_corrections_or_filled_calls_are_left_is_no_place(people: People) -> None:
    spent(people, model="gpt-99", at=days_ago(3))
    for dimension in ("input_text", "output_text"):
        add_price(people.conn, "gpt-99", dimension, "1")
    people.conn.execute("select app.reprice(%s, %s, 'a test', false)", [days_ago(9), days_ago(-1)])
    add_price(people.conn, "gpt-99", "input_text", "5", revision=2)
    people.conn.execute("select app.reprice(%s, %s, 'a test', false)", [days_ago(9), days_ago(-1)])
    period = (days_ago(9), days_ago(-1))
    assert places(people, {"cost_status": ["unpriced_model"]}, *period) == {}
    assert list(places(people, {"cost_status": ["priced"]}, *period).values()) == [1]


def test_it_is_the_askers_own_of_the_current_books_alone(people: People) -> None:
    add_call(people, "ada", model="m", end_user="u1")
    add_call(people, "eve", model="m", end_user="u1")
    add_call(people, "ada", DAY + timedelta(days=1), model="m", end_user="u1", upstream="openai")
    people.sign_up("lone", "lone@nowhere.test")
    for filters in ({"model": ["m"]}, {"end_user": ["u1"]}):
        for who in ("ada", "dev", "eve"):
            key = people.keys["eve" if who == "eve" else "ada"].id
            assert places(people, filters, who=who) == {(DAY.date(), key): 1}
        assert places(people, filters, who="lone") == {}


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "calls_places") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", PLACES, EARLY, LATE, "{}")
