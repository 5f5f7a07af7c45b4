"""app.spend_report: the answers of app.spend_totals, spend_breakdown and spend_bars in one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from checks import executors
from people import People
from spending import CELLS, another_key, days_ago, spent

REPORT = "select * from app.spend_report(%s, %s, %s, %s, 'UTC', 'day', %s, %s, %s, '{}', %s)"
PERIOD = (days_ago(7), days_ago(-1))
BEFORE = (days_ago(15), days_ago(7))


def report(
    people: People, by: str = "project", side: str = "key", top: int | None = 6, who: str = "ada",
    tag_name: str | None = None, before: tuple[Any, Any] = BEFORE,
) -> Any:  # fmt: skip
    with people.as_(who):
        return people.one(REPORT, *PERIOD, *before, by, tag_name, side, top)


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
        totals = people.one(query, *PERIOD, "model", "{}")["t"]
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


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people)
    assert report(people, who="eve")["totals"]["calls"] == 0
    assert report(people, who="dev")["totals"]["calls"] == 1
    with people.as_("nobody"):
        people.refused("42501", REPORT, *PERIOD, *BEFORE, "project", None, "key", 6)
    assert executors(people.conn, "spend_report") == {"authenticated"}
