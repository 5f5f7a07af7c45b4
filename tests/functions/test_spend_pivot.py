"""app.spend_pivot: two groupings at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from checks import executors
from ledgers import DAY, add_call
from people import People
from totals import EARLY, LATE, many_calls

PIVOT = "select * from app.spend_pivot(%s, %s, 'Europe/Berlin', %s, %s, '{}', %s, %s)"
Cells = dict[tuple[Any, Any], dict[str, Any]]


def pivot(people: People, by: str, other: str, top: int | None, who: str = "ada", tag: str | None = None) -> Cells:
    with people.as_(who):
        rows = people.all(PIVOT, EARLY, LATE, by, other, top, tag)
    return {(row["row_place"], row["column_place"]): row for row in rows}


def test_cells_have_the_cost_of_their_pair_and_totals_stand_at_place_0(people: People) -> None:
    for model, end_user, cost in (("a", "u", 1), ("a", "v", 10), ("b", "u", 100), ("b", None, 1000)):
        add_call(people, "ada", DAY, model=model, end_user=end_user, cost=cost)
    found = pivot(people, "model", "end_user", 6)
    shown = {(row["row_name"], row["column_name"]): row["cost"] for row in found.values()}
    assert shown == {
        ("a", "u"): 1, ("a", "v"): 10, ("b", "u"): 100, ("b", ""): 1000, ("a", None): 11, ("b", None): 1100,
        (None, "u"): 101, (None, "v"): 10, (None, ""): 1000, (None, None): 1111,
    }  # fmt: skip
    assert found[1, 0]["row_id"] == "b" and found[0, 1]["column_id"] == "" and found[0, 0]["calls"] == 4


@pytest.mark.parametrize("top", [1, 2, None])
@pytest.mark.parametrize(("by", "other", "tag"), [
    ("model", "status", None), ("project", "key", None), ("person", "end_user", None), ("endpoint", "model", None),
    ("service_tier", "project", None), ("tag", "model", "team"),
])  # fmt: skip
def test_every_row_and_every_column_adds_up(
    people: People, by: str, other: str, tag: str | None, top: int | None
) -> None:
    many_calls(people, 60)
    found = pivot(people, by, other, top, tag=tag)
    with people.as_("ada"):
        whole = people.one("select * from app.sums(%s, %s, '{}', '{}', 'UTC', null, null)", EARLY, LATE)
    for name in ("calls", "cost", "unpriced_calls", "no_usage_calls", "in_doubt_calls"):
        assert found[0, 0][name] == whole[name]
        for side in (0, 1):
            for place in {key[side] for key in found}:
                line = [row for key, row in found.items() if key[side] == place]
                total = next(row for row in line if row[("column_place", "row_place")[side]] == 0)
                assert sum(Decimal(row[name]) for row in line if row is not total) == total[name]
    if top:
        assert max(key[0] for key in found) <= top + 1 and max(key[1] for key in found) <= top + 1


def test_what_is_folded_says_how_many_it_stands_for(people: People) -> None:
    for n in range(4):
        add_call(people, "ada", DAY, model=f"m{n}", cost=n + 1)
    found = pivot(people, "model", "key", 2)
    assert [(found[n, 0]["row_id"], found[n, 0]["row_members"]) for n in (1, 2, 3)] == [("m3", 1), ("m2", 1), (None, 2)]
    assert found[3, 0]["cost"] == found[3, 1]["cost"] == 3


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    add_call(people, "ada", DAY)
    assert pivot(people, "model", "key", 6, "eve") == {}
    with people.as_("nobody"):
        people.refused("42501", PIVOT, EARLY, LATE, "model", "key", 6, None)
    assert executors(people.conn, "spend_pivot") == {"authenticated"}
