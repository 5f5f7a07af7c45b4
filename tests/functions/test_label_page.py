"""app.label_page: end users, names of tags and values of one tag with their spend."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from checks import executors
from people import People
from spending import PRICE, days_ago, spent

PAGE = "select * from app.label_page(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
PERIOD = (days_ago(7), days_ago(-1), days_ago(15), days_ago(7))
COST = Decimal(PRICE)


def page(
    people: People, by: str, name: str = "", who: str = "dev", period: tuple[Any, ...] = PERIOD, **words: Any
) -> Any:
    place = {"search": "", "sort": "", "offset": 0, "limit": 100} | words
    with people.as_(who):
        return people.all(PAGE, by, name, *period, *place.values())


def figures(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["label"], row["calls"], row["cost"], row["cost_before"], row["change"]) for row in rows]


def test_end_users_and_the_calls_without_one_add_up_to_all_calls(people: People) -> None:
    at = days_ago(0.01)
    for _ in range(3):
        spent(people, end_user="bo", at=at)
    spent(people, end_user="Al", at=at)
    spent(people, end_user="Al", at=at, model="unheard-of", model_requested="unheard-of")
    spent(people, at=at)
    spent(people, end_user="Al", at=days_ago(10))
    spent(people, end_user="gone", at=days_ago(10))
    spent(people, end_user="gone", at=days_ago(10), model="unheard-of", model_requested="unheard-of")
    rows = page(people, "end_user")
    assert figures(rows) == [
        ("bo", 3, 3 * COST, 0, 3 * COST), ("Al", 2, COST, COST, 0), ("", 1, COST, 0, COST), ("gone", 0, 0, COST, -COST),
    ]  # fmt: skip
    assert [row["last_day"] for row in rows] == [at.date()] * 3 + [None]
    assert [(row["unknown_calls"], row["unknown_before"]) for row in rows] == [(0, 0), (1, 0), (0, 0), (0, 1)]
    for row in rows:
        assert (row["all_labels"], row["all_calls"], row["all_cost"]) == (4, 6, 5 * COST)
        assert row["all_unknown_before"] == 1
        assert (row["all_unknown"], row["all_before"], row["all_change"]) == (1, 2 * COST, 3 * COST)
    assert [row["label"] for row in page(people, "end_user", search="AL")] == ["Al"]
    assert [row["label"] for row in page(people, "end_user", sort="label")] == ["", "Al", "bo", "gone"]
    assert page(people, "end_user", sort="change")[0]["label"] == "gone"
    assert [row["label"] for row in page(people, "end_user", offset=1, limit=2)] == ["Al", ""]
    alone = page(people, "end_user", period=(*PERIOD[:2], None, None))[0]
    assert alone["change"] is alone["unknown_before"] is alone["all_unknown_before"] is None


def test_a_tag_has_its_values_and_the_calls_without_it_which_add_up_to_all_calls(people: People) -> None:
    spent(people, tags={"team": "search", "env": "prod"})
    spent(people, tags={"team": "shop", "env": "prod"})
    spent(people, tags={"team": "shop"})
    spent(people, tags={"env": "a=b"})
    spent(people)
    spent(people, tags={"team": "shop"}, at=days_ago(10))
    spent(people, at=days_ago(10))
    names = page(people, "tag_name")
    assert figures(names) == [("env", 3, 3 * COST, 0, 3 * COST), ("team", 3, 3 * COST, COST, 2 * COST)]
    assert [row["label_values"] for row in names] == [2, 2]
    values = page(people, "tag", "team")
    assert figures(values) == [
        ("", 2, 2 * COST, COST, COST), ("shop", 2, 2 * COST, COST, COST), ("search", 1, COST, 0, COST),
    ]  # fmt: skip
    assert (values[0]["all_calls"], values[0]["all_cost"], values[0]["all_before"]) == (5, 5 * COST, 2 * COST)
    assert [row["label"] for row in page(people, "tag", "env", sort="label")] == ["", "a=b", "prod"]
    assert page(people, "tag", "te") == [row for row in page(people, "tag", "te") if row["label"] == ""]


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people, end_user="bo", tags={"team": "shop"})
    for by in ("end_user", "tag_name", "tag"):
        assert page(people, by, "team", who="eve") == []
    with people.as_("nobody"):
        people.refused("42501", PAGE, "end_user", "", *PERIOD, "", "", 0, 1)
    assert executors(people.conn, "label_page") == {"authenticated"}
