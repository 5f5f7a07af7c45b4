"""app.calls_page: calls newest first, a page at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import psycopg
import pytest
from checks import executors, some
from ledgers import DAY, add_call, sums
from people import People
from pricing import add_price
from spending import days_ago, spent
from test_end_sessions import begin
from test_labels_beyond import FULL
from totals import EARLY, LATE, MIDNIGHT, Busy, Filters, Row, entries, fits

PAGE = "select * from app.calls_page(%s, %s, %s::jsonb, %s, %s, %s)"
ALL = (DAY - timedelta(days=3), DAY + timedelta(days=3))


def pages(
    people: People,
    size: int,
    filters: Filters | None = None,
    who: str = "ada",
    period: tuple[datetime, datetime] = ALL,
) -> list[list[dict[str, Any]]]:
    """All pages, with the cursor that the API uses."""
    result, before = [], (None, None)
    while not result or len(result[-1]) == size:
        with people.as_(who):
            result.append(people.all(PAGE, *period, json.dumps(filters or {}), *before, size))
        if result[-1]:
            before = (result[-1][-1]["started_at"], result[-1][-1]["id"])
    return result


def test_turning_pages_shows_every_call_once_newest_first_also_among_calls_of_one_moment(ledger: People) -> None:
    whole = [row for page in pages(ledger, 4) for row in page]
    assert [len(page) for page in pages(ledger, 4)] == [4, 4, 4, 3]
    assert len({row["id"] for row in whole}) == sums(ledger)["calls"] == 15
    assert whole == sorted(whole, key=lambda row: (row["started_at"], row["id"]), reverse=True)
    assert whole == pages(ledger, 100)[0]


def test_calls_that_arrive_meanwhile_shift_nothing(ledger: People) -> None:
    with ledger.as_("ada"):
        first = ledger.all(PAGE, *ALL, "{}", None, None, 5)
    add_call(ledger, "ada", DAY + timedelta(days=2))
    with ledger.as_("ada"):
        second = ledger.all(PAGE, *ALL, "{}", first[-1]["started_at"], first[-1]["id"], 100)
    assert not {row["id"] for row in first} & {row["id"] for row in second}
    assert len(first) + len(second) == 15


def test_a_call_is_found_by_a_label_that_its_day_counts_as_other(people: People) -> None:
    people.conn.execute(FULL, [people.orgs["ada"], DAY.date()])
    rare = add_call(people, "ada", DAY, end_user="u1", tags={"run": "a"})
    add_call(people, "ada", DAY, end_user="u2", tags={"run": "b"})
    for filters in ({"end_user": ["u1"]}, {"tag": ["run=a"]}, {"not_end_user": ["u2"]}, {"not_tag": ["run=b"]}):
        assert [row["id"] for row in pages(people, 10, filters)[0]] == [rare], filters
    assert pages(people, 10, {"end_user": ["(other)"]})[0] == []


def test_a_filter_holds_on_every_page(ledger: People) -> None:
    rows = [row for page in pages(ledger, 2, {"cost_status": ["error"]}) for row in page]
    assert [row["cost_status"] for row in rows] == ["error", "error"]


def right(bookings: list[dict[str, Any]], filters: Filters, since: datetime, until: datetime) -> list[Any]:
    """Ids of the calls that fit, newest first, filtered in Python; bookings: of ``entries``."""
    found = [entry for entry in bookings
             if entry.get("calls") and since <= entry["at"] < until and fits(entry, filters)]  # fmt: skip
    return [entry["id"] for entry in sorted(found, key=lambda entry: (entry["at"], entry["id"]), reverse=True)]


FILTERS = {
    "model": ["gpt-4o-mini", "gpt-99", ""], "endpoint": ["/v1/responses", "/v1/models"], "status": ["error", "500"],
    "cost_status": ["in_doubt", "tier_fallback", "priced"], "end_user": ["u1", "u2"], "tag": ["team=web", "env"],
}  # fmt: skip


@pytest.mark.parametrize(("count", "size"), some([(count, size) for count in (1, 2, 3) for size in (1, 3, 50)], 5))
def test_every_mix_of_filters_finds_every_call_that_fits_and_no_other(busy: Busy, count: int, size: int) -> None:
    people, _, bookings = busy
    for names in combinations(FILTERS, count):
        filters = {name: FILTERS[name] for name in names}
        for period in ((EARLY, LATE), (MIDNIGHT - timedelta(hours=36), MIDNIGHT + timedelta(hours=13))):
            found = [row["id"] for page in pages(people, size, filters, period=period) for row in page]
            assert found == right(bookings, filters, *period), filters


@pytest.fixture(scope="module")
def rare(people_in: Callable[[str], People]) -> tuple[People, list[Row]]:
    """Sixty days with many calls each. A few calls are of a rare kind, and several of those arrived at one moment.
    Beside the people their bookings.

    For tests that only read.
    """
    people = people_in("spendai_rare")
    project, spare = people.projects["ada"], [people.keys[name].id for name in ("ada", "eve")]
    people.conn.execute(
        "insert into public.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, settled_at, state,"
        " upstream, endpoint, method, stream, batch, status_code, model, cost, cost_status, end_user, tags)"
        " select gen_random_uuid(), %s, %s, (%s::uuid[])[1 + n %% 2], %s + make_interval(hours => n / 2), now(), now(),"
        " 'settled', 'sandbox', '/v1/chat/completions', 'POST', false, false,"
        " case when n %% 97 = 0 then 429 else 200 end, case when n %% 89 = 0 then 'rare' else 'gpt-5' end, 0,"
        " case when n %% 97 = 0 then 'error' else 'priced' end,"
        " case when n %% 83 = 0 then 'rare' else 'u' || n %% 5 end,"
        " case when n %% 79 = 0 then '{\"team\": \"rare\"}' else '{}' end::jsonb"
        " from generate_series(1, 2 * 24 * 60) n",
        [people.orgs["ada"], project, spare, MIDNIGHT],
    )
    for _ in range(7):
        add_call(people, "ada", MIDNIGHT + timedelta(days=31, hours=5), model="rare", end_user="rare", tags={"x": "y"})
    return people, entries(people)


SIXTY = (MIDNIGHT, MIDNIGHT + timedelta(days=60))


RARE = (
    {"model": ["rare"]}, {"end_user": ["rare"]}, {"tag": ["team=rare"]}, {"status": ["error"]}, {"tag": ["team", "x"]},
    {"model": ["rare"], "end_user": ["rare"]}, {"status": ["429"], "tag": ["team"]},
    {"status": ["200"], "end_user": ["u1"]}, {"end_user": ["rare"], "tag": ["x=y"], "status": ["200"]},
    {"end_user": ["u1"], "tag": ["team"], "status": ["error"]},
    {"model": ["no such"]}, {"end_user": ["u1", "u3"], "model": ["rare"]},
)  # fmt: skip


@pytest.mark.parametrize("filters", some(RARE, 6))
def test_rare_calls_are_found_among_many_days_on_every_page(rare: tuple[People, list[Row]], filters: Filters) -> None:
    people, bookings = rare
    expected = right(bookings, filters, *SIXTY)
    for size in (2, 5, 200):
        found = [row["id"] for page in pages(people, size, filters, period=SIXTY) for row in page]
        assert found == expected


def test_a_page_may_begin_anywhere_also_within_a_day_and_where_no_call_is(
    rare: tuple[People, list[Row]],
) -> None:
    people, bookings = rare
    for filters in ({"model": ["rare"]}, {"tag": ["team=rare"]}, {"end_user": ["u1"], "status": ["200"]}):
        expected = right(bookings, filters, *SIXTY)
        for hours in (0, 0.5, 13.25, 31 * 24 + 5, 59 * 24 + 23.99, 90 * 24):
            at = MIDNIGHT + timedelta(hours=hours)
            with people.as_("ada"):
                rows = people.all(PAGE, *SIXTY, json.dumps(filters), at, "00000000-0000-0000-0000-000000000000", 4)
                moments = people.all("select id from public.usage_logs where started_at >= %s", at)
            later = {row["id"] for row in moments}
            assert [row["id"] for row in rows] == [call for call in expected if call not in later][:4]


def test_a_call_whose_price_came_later_is_found_by_what_it_is_now_alone(people: People) -> None:
    call = spent(people, model="gpt-99", at=days_ago(3), end_user="u1")
    period = (days_ago(9), days_ago(-1))

    def found(status: str) -> list[Any]:
        rows = pages(people, 5, {"cost_status": [status], "end_user": ["u1"]}, period=period)
        return [row["id"] for row in rows[0]]

    assert (found("unpriced_model"), found("priced")) == ([call], [])
    for dimension in ("input_text", "output_text"):
        add_price(people.conn, "gpt-99", dimension, "1")
    people.conn.execute("select app.reprice(%s, %s, 'a test', false)", period)
    assert (found("unpriced_model"), found("priced")) == ([], [call])


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata"])
def test_a_filter_finds_calls_at_the_edges_of_days_whatever_the_sessions_time_zone(people: People, zone: str) -> None:
    people.conn.execute("select set_config('timezone', %s, true)", [zone])
    moments = [MIDNIGHT + timedelta(microseconds=n) for n in (-1, 0, 86_400_000_000 - 1, 86_400_000_000)]
    calls = [add_call(people, "ada", at, model="rare") for at in moments]
    found = [row["id"] for page in pages(people, 1, {"model": ["rare"]}) for row in page]
    assert found == calls[::-1]


@pytest.mark.parametrize("filters", ["{}", '{"model": ["gpt-5-2025-08-07"]}'])
def test_a_page_of_no_rows_is_empty_and_never_endless(ledger: People, filters: str) -> None:
    ledger.conn.execute("set local statement_timeout = '60s'")
    with ledger.as_("ada"):
        assert ledger.all(PAGE, *ALL, filters, None, None, 0) == []


def test_calls_of_websocket_sessions_are_found_by_their_session_on_every_page(people: People) -> None:
    ours, other = begin(people)["id"], begin(people)["id"]
    made = [add_call(people, "ada", DAY + timedelta(hours=9 * n), session_id=ours) for n in range(5)]
    add_call(people, "ada", session_id=other)
    add_call(people, "ada")
    chosen = {"session": [str(ours)]}
    assert [row["id"] for page in pages(people, 2, chosen) for row in page] == made[::-1]
    both = {"session": [str(ours), str(other)], "status": ["200"]}
    assert [len(page) for page in pages(people, 4, both)] == [4, 2]
    assert pages(people, 2, chosen, "eve") == [[]]


def test_eve_pages_through_her_own_calls_alone(ledger: People) -> None:
    assert {row["org_id"] for row in pages(ledger, 10, who="eve")[0]} == {ledger.orgs["eve"]}


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "calls_page") == {"authenticated"}
