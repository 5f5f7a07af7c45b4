"""app.spend_breakdown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from checks import executors
from people import People
from spending import CELLS, PRICE, another_key, days_ago, spent

ROWS = f"select * from app.spend_breakdown({CELLS}, %s, false, %s, true)"


def rows(people: People, by: str, top: int | None = 6, who: str = "ada", filters: str = "{}") -> list[dict[str, Any]]:
    with people.as_(who):
        return people.all(ROWS, days_ago(7), days_ago(-1), by, filters, by, top)


def test_the_biggest_spender_comes_first_and_shares_add_up(people: People) -> None:
    project, key = another_key(people, "search")
    spent(people)
    for _ in range(3):
        spent(people, project_id=str(project), api_key_id=str(key))
    found = rows(people, "project")
    assert [(row["name"], row["series"], row["cost"]) for row in found] == [
        ("search", 1, 3 * Decimal(PRICE)), ("chat", 2, Decimal(PRICE)),
    ]  # fmt: skip
    assert [row["share"] for row in found] == [Decimal("0.75"), Decimal("0.25")]
    assert found[0]["id"] == str(project)


def test_a_key_row_says_its_project_and_prefix(people: People) -> None:
    spent(people)
    (row,) = rows(people, "key")
    assert (row["name"], row["project"], row["key_prefix"]) == ("main", "chat", people.keys["ada"].prefix)


def test_rows_after_the_sixth_become_one_that_keeps_the_sum(people: People) -> None:
    for size in range(1, 10):
        usage = {"prompt_tokens": size * 1_000_000, "completion_tokens": 0}
        spent(people, model="gpt-4o-mini", end_user=f"user-{size}", usage=usage)
    folded, everything = rows(people, "end_user"), rows(people, "end_user", None)
    assert [row["name"] for row in folded] == ["user-9", "user-8", "user-7", "user-6", "user-5", "user-4", None]
    assert [row["series"] for row in folded] == [1, 2, 3, 4, 5, 6, 0]
    assert (folded[-1]["id"], folded[-1]["members"], folded[-1]["calls"]) == (None, 3, 3)
    assert sum(row["cost"] for row in folded) == sum(row["cost"] for row in everything) == Decimal("0.15") * 45
    assert len(everything) == 9 and [row["series"] for row in everything[6:]] == [0, 0, 0]


def test_a_single_row_after_the_sixth_keeps_its_name(people: People) -> None:
    for size in range(1, 8):
        spent(people, end_user=f"user-{size}", usage={"prompt_tokens": size * 1000, "completion_tokens": 0})
    assert [row["id"] for row in rows(people, "end_user")][-1] == "user-1"


def test_a_period_in_which_nothing_cost_anything_has_no_shares(people: People) -> None:
    spent(people, outcome="error", usage=None, status_code=500)
    (row,) = rows(people, "project")
    assert (row["cost"], row["share"], row["error_calls"]) == (0, None, 1)


@pytest.mark.parametrize("by", ["project", "model", "key", "endpoint", "service_tier", "status", "end_user", "tag"])
def test_every_word_gives_an_id_to_filter_by(people: People, by: str) -> None:
    spent(people, end_user="u", tags={"team": "web"})
    (row,) = rows(people, by)
    filters = f'{{"{by}": ["{row["id"]}"]}}'
    if by != "service_tier":  # grouped by, never filtered by
        assert [again["id"] for again in rows(people, by, filters=filters)] == [row["id"]]


def test_rows_of_tags_are_their_names_and_a_call_counts_in_each_of_its_tags(people: People) -> None:
    spent(people, tags={"team": "web", "env": "live"})
    spent(people)
    spent(people, tags={"team": "ads"})
    spent(people)
    found = rows(people, "tag")
    assert [(row["id"], row["tag_values"], row["calls"], row["share"]) for row in found] == [
        ("team", 2, 2, Decimal("0.5")), ("env", 1, 1, Decimal("0.25")),
    ]  # fmt: skip


def test_calls_without_an_end_user_are_a_row_of_their_own(people: People) -> None:
    spent(people, end_user=None)
    assert [(row["id"], row["members"]) for row in rows(people, "end_user")] == [("", 1)]


def test_the_second_word_has_rows_of_its_own(people: People) -> None:
    spent(people, tags={"team": "web", "env": "live"})
    query = f"select * from app.spend_breakdown({CELLS}, 'key', true, 5, true)"
    with people.as_("ada"):
        (row,) = people.all(query, days_ago(7), days_ago(-1), "tag", "{}")
    assert (row["name"], row["calls"], row["share"]) == ("main", 1, 1)


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people)
    assert rows(people, "project", who="eve") == []
    assert len(rows(people, "project", who="dev")) == 1
    assert executors(people.conn, "spend_breakdown") == {"authenticated"}
