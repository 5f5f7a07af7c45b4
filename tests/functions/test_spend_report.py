"""app.spend_report: the answers of app.spend_totals, spend_breakdown and spend_bars in one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from checks import executors
from ledgers import add_open_call
from people import People
from spending import CELLS, another_key, days_ago, spent

REPORT = "select * from app.spend_report(%s, %s, %s, %s, 'UTC', 'day', %s, %s, %s, '{}', %s)"
BEFORE = (days_ago(15), days_ago(7))


def period() -> tuple[datetime, datetime]:
    """The last 7 days and the coming one, of the moment: the bars of a report end with the present day."""
    return days_ago(7), days_ago(-1)


def report(
    people: People, by: str = "project", side: str = "key", top: int | None = 6, who: str = "ada",
    tag_name: str | None = None, before: tuple[Any, Any] = BEFORE,
) -> Any:  # fmt: skip
    with people.as_(who):
        return people.one(REPORT, *period(), *before, by, tag_name, side, top)


def test_totals_rows_side_and_bars_agree(people: People) -> None:
    project, key = another_key(people, "search")
    for size in range(1, 5):
        spent(people, at=days_ago(size), usage={"prompt_tokens": size * 1000, "completion_tokens": 7})
    spent(people, project_id=str(project), api_key_id=str(key))
    found = report(people)
    total = found["totals"]["cost"]
    for part in (found["rows"], found["side"], [bar for bar in found["bars"] if bar["series"] is None]):
        assert sum(Decimal(row["cost"]) for row in part) == total
        assert sum(row["calls"] for row in part) == found["totals"]["calls"] == 5
    for row in found["rows"]:
        assert sum(Decimal(bar["cost"]) for bar in found["bars"] if bar["series"] == row["series"]) == row["cost"]


def test_it_says_what_its_parts_say(people: People) -> None:
    spent(people)
    found = report(people, "model")
    query = f"select to_jsonb(t) as t from app.spend_totals({CELLS}, true) t"
    with people.as_("ada"):
        totals = people.one(query, *period(), "model", "{}")["t"]
    assert found["totals"] == totals
    assert [row["id"] for row in found["rows"]] == ["gpt-4o-mini"]
    assert [row["name"] for row in found["side"]] == ["main"]


def test_a_period_without_calls_has_totals_and_empty_days(people: People) -> None:
    found = report(people)
    assert found["totals"]["calls"] == 0 and found["rows"] == found["side"] == []
    assert len(found["bars"]) == 8 and {bar["series"] for bar in found["bars"]} == {None}


def test_the_rest_is_drawn_as_series_zero(people: People) -> None:
    for size in range(1, 9):
        spent(people, end_user=f"user-{size}", usage={"prompt_tokens": size * 1000, "completion_tokens": 0})
    found = report(people, "end_user")
    assert [row["series"] for row in found["rows"]] == [1, 2, 3, 4, 5, 6, 0]
    assert sum(bar["calls"] for bar in found["bars"] if bar["series"] == 0) == 2
    assert len(report(people, "end_user", top=None)["rows"]) == 8


def test_bars_of_end_users_add_up_and_one_that_stands_out_is_explained_by_a_row_without_a_colour(
    people: People,
) -> None:
    for days in range(1, 7):
        for user, size in (("ann", 1000), ("bob", 500)):
            spent(people, at=days_ago(days), end_user=user, usage={"prompt_tokens": size, "completion_tokens": 0})
    for user, size in ((None, 10), ("odd", 2000)):
        spent(people, at=days_ago(3), end_user=user, usage={"prompt_tokens": size, "completion_tokens": 0})
    found = report(people, "end_user", top=2)
    assert [(row["id"], row["series"], row["members"]) for row in found["rows"]] == [
        ("ann", 1, 1), ("bob", 2, 1), (None, 3, 2)
    ]  # fmt: skip
    drawn = {series: [bar["tokens"] for bar in found["bars"] if bar["series"] == series] for series in (0, 1, 2, None)}
    assert [sum(day) for day in zip(*(drawn[series] for series in (0, 1, 2)), strict=True)] == drawn[None]
    assert sum(drawn[0]) == 2010 and sum(drawn[2]) == 3000
    assert found["peak"]["id"] == found["peak"]["name"] == "odd"


def test_all_of_the_period_before_is_compared_also_while_the_other_runs(people: People) -> None:
    """So that its sum is what the period before says when it is opened; pages choose as many days as have passed."""
    spent(people, at=days_ago(0.5))
    spent(people, at=days_ago(9.9))
    spent(people, at=days_ago(9.1))
    period = (days_ago(0.7), days_ago(-0.3), days_ago(10), days_ago(9))
    with people.as_("ada"):
        found = people.one(REPORT, *period, "model", None, "key", 6)
    assert (found["totals"]["calls"], found["totals"]["calls_before"]) == (1, 2)
    assert sum(bar["calls"] for bar in found["before_bars"]) == 2


def test_rows_say_what_they_were_before_and_the_parts_of_the_change_add_up(people: People) -> None:
    big = {"prompt_tokens": 9000, "completion_tokens": 70}
    for at, model in ((3, "gpt-4o-mini"), (4, "gpt-4o-mini"), (9, "gpt-4o-mini"), (10, "gpt-4o"), (5, "o3-mini")):
        spent(
            people,
            at=days_ago(at),
            model=model,
            usage=big if at == 3 else {"prompt_tokens": 5000, "total_tokens": 5000},
        )
    found = report(people, "model")
    rows = {row["id"]: row for row in found["rows"]}
    assert {name: (row["calls_before"], row["calls"]) for name, row in rows.items()} == {
        "gpt-4o-mini": (1, 2), "gpt-4o": (1, 0), "o3-mini": (0, 1),
    }  # fmt: skip
    assert rows["gpt-4o"]["change"] == rows["gpt-4o"]["change_calls"] == -Decimal("0.0125")
    for row in (*rows.values(), found["totals"]):
        change = Decimal(row["cost"]) - Decimal(row["cost_before"])
        parts = [Decimal(row[f"change_{part}"]) for part in ("calls", "tokens", "price")]
        assert Decimal(row["change"]) == change == sum(parts)
    for name in ("cost", "cost_before", "change", "calls_before", "tokens_before", "tokens"):
        assert sum(Decimal(row[name]) for row in rows.values()) == found["totals"][name], name
    assert sum(Decimal(bar["cost"]) for bar in found["before_bars"]) == found["totals"]["cost_before"]
    assert sum(bar["calls"] for bar in found["before_bars"]) == found["totals"]["calls_before"] == 2
    two = report(people, "model", top=1)["rows"]
    assert [(row["members"], row["calls_before"]) for row in two] == [(1, 0), (2, 2)]


def test_calls_without_a_known_cost_are_counted_beside_each_sum(people: People) -> None:
    for ago in (1, 9, 10):
        spent(people, at=days_ago(ago))
    for ago, times in ((1, 2), (9, 3)):
        for _ in range(times):
            spent(people, at=days_ago(ago), model="nobody-knows-it")
    spent(people, at=days_ago(9), model="gpt-4o", outcome="no_usage", usage=None)
    add_open_call(people, "ada", days_ago(10), deadline_at=days_ago(9), model_requested="gpt-4o")
    found = report(people, "model")
    assert {row["id"]: (row["unpriced_calls"], row["unknown_before"]) for row in found["rows"]} == {
        "gpt-4o-mini": (0, 0), "nobody-knows-it": (2, 3), "gpt-4o": (0, 2),
    }  # fmt: skip
    assert (found["totals"]["unpriced_calls"], found["totals"]["unknown_before"]) == (2, 5)
    assert [bar["unknown_calls"] for bar in found["bars"] if bar["series"] is None] == [0, 0, 0, 0, 0, 0, 2, 0]
    assert [bar["unknown_calls"] for bar in found["before_bars"] if bar["unknown_calls"]] == [1, 4]


def test_without_a_period_to_compare_with_nothing_is_said_about_it(people: People) -> None:
    spent(people)
    spent(people, at=days_ago(9))
    found = report(people, before=(None, None))
    (row,) = found["rows"]
    assert found["before_bars"] == []
    for of in (row, found["totals"]):
        assert of["calls_before"] is of["cost_before"] is of["change"] is of["change_price"] is None
        assert of["unknown_before"] is None
    assert found["totals"]["cost_change"] is None and found["totals"]["calls"] == 1


def test_values_of_one_tag_and_no_value_add_up_to_the_total(people: People) -> None:
    for tags in ({"team": "web", "env": "live"}, {"team": "ads"}, {}, {"env": "live"}):
        spent(people, tags=tags)
    found = report(people, "tag", tag_name="team")
    assert sorted((row["id"], row["calls"], row["tag_values"]) for row in found["rows"]) == [
        ("", 2, 0), ("ads", 1, 0), ("web", 1, 0),
    ]  # fmt: skip
    assert sum(Decimal(row["cost"]) for row in found["rows"]) == found["totals"]["cost"]
    names = report(people, "tag")
    assert sorted((row["id"], row["calls"], row["tag_values"]) for row in names["rows"]) == [
        ("env", 2, 1), ("team", 2, 2),
    ]  # fmt: skip


def test_a_day_that_stands_out_names_what_made_it(people: People) -> None:
    for ago in range(2, 7):
        spent(people, at=days_ago(ago), model="gpt-4o")
    assert report(people, "model")["peak"] is None
    for _ in range(40):
        spent(people, at=days_ago(4), model="gpt-4o-mini", usage={"prompt_tokens": 10**6, "completion_tokens": 0})
    peak = report(people, "model")["peak"]
    assert (peak["bar"][:10], peak["name"], peak["row_cost"]) == (str(days_ago(4).date()), "gpt-4o-mini", 6)
    assert report(people)["peak"]["name"] == "chat"


@pytest.mark.parametrize("grain", ["day", "week", "month"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
def test_its_months_are_those_of_spend_months(people: People, grain: str, zone: str) -> None:
    for ago in (0.01, 3, 20, 33, 50, 64, 75):
        spent(people, at=days_ago(ago), model="gpt-4o" if ago < 40 else "gpt-4o-mini")
        spent(people, at=days_ago(ago), model="nobody-knows-it")
        spent(people, at=days_ago(ago), outcome="no_usage", usage=None)
        add_open_call(people, "ada", days_ago(ago), deadline_at=days_ago(ago - 0.001))
    query = "select months from app.spend_report(%s, %s, null, null, %s, %s, 'project', null, 'key', %s, 6)"
    months = """select to_char(month, 'YYYY-MM-DD') as month, partial, calls, cost,
            unpriced_calls, no_usage_calls, in_doubt_calls
        from app.spend_months(%s, 0, %s, %s)"""
    for filters in ("{}", '{"model": ["gpt-4o"]}'):
        with people.as_("ada"):
            found = people.one(query, days_ago(75), days_ago(-1), zone, grain, filters)["months"]
            asked = people.all(months, len(found), filters, zone)
        assert len(found) >= 2 and [row | {"cost": Decimal(str(row["cost"]))} for row in found] == asked
    with people.as_("ada"):
        assert people.one(query, days_ago(75), days_ago(2), zone, grain, "{}")["months"] == []


def test_a_week_of_two_months_is_one_bar(people: People) -> None:
    for at in ("2025-09-29", "2025-09-30", "2025-10-01", "2025-10-05", "2025-10-06"):
        spent(people, at=datetime.fromisoformat(f"{at}T12:00Z"))
    query = "select bars from app.spend_report(%s, %s, null, null, 'UTC', 'week', 'key', null, 'model', '{}', 6)"
    with people.as_("ada"):
        found = people.one(query, "2025-09-22", "2025-10-13")["bars"]
    assert [(row["bar"][5:10], row["calls"]) for row in found if row["series"] == 1] == [
        ("09-22", 0), ("09-29", 4), ("10-06", 1),
    ]  # fmt: skip


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people)
    assert report(people, who="eve")["totals"]["calls"] == 0
    assert report(people, who="dev")["totals"]["calls"] == 1
    with people.as_("nobody"):
        people.refused("42501", REPORT, *period(), *BEFORE, "project", None, "key", 6)
    assert executors(people.conn, "spend_report") == {"authenticated"}
