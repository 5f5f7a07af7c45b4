"""app.usage_with_total: the rows of app.usage and their total."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from checks import executors
from ledgers import DAY, add_call
from people import People
from test_labels_beyond import FULL

WITH_TOTAL = "select * from app.usage_with_total(%s, %s, %s, %s::jsonb, 'UTC')"
USAGE = "select * from app.usage(%s, %s, %s, %s::jsonb, 'UTC')"
PERIOD = (DAY - timedelta(days=3), DAY + timedelta(days=3))


@pytest.fixture
def two(people: People) -> People:
    """A call with two tags and one with none."""
    add_call(people, "ada", cost=1, tags={"team": "web", "env": "live"}, model="gpt-4o")
    add_call(people, "ada", DAY - timedelta(days=1), cost=10)
    add_call(people, "eve", cost=1000)
    return people


@pytest.mark.parametrize("groups", [["day", "model"], ["project"], ["tag"], ["end_user", "status"], []])
@pytest.mark.parametrize("filters", [{}, {"model": ["gpt-4o"]}, {"tag": ["team=web"]}])
def test_it_has_the_rows_of_usage_in_their_order_and_then_the_total(
    two: People, groups: list[str], filters: dict[str, list[str]]
) -> None:
    with two.as_("dev"):
        *rows, total = two.all(WITH_TOTAL, *PERIOD, groups, json.dumps(filters))
        assert [row.pop("is_total") for row in rows] == [False] * len(rows)
        assert rows == two.all(USAGE, *PERIOD, groups, json.dumps(filters))
        assert total.pop("is_total") is True
        assert [total] == two.all(USAGE, *PERIOD, [], json.dumps(filters))


def test_the_total_counts_a_call_with_two_tags_once(two: People) -> None:
    with two.as_("ada"):
        *rows, total = two.all(WITH_TOTAL, *PERIOD, ["tag"], "{}")
    assert (sum(row["cost"] for row in rows), total["cost"]) == (12, 11)


def test_an_end_user_that_its_day_counts_as_other_is_in_the_total_as_in_the_rows(people: People) -> None:
    people.conn.execute(FULL, [people.orgs["ada"], DAY.date()])
    add_call(people, "ada", end_user="u1", cost=2)
    add_call(people, "ada", end_user="u2", cost=5)
    for filters, cost in (({"end_user": ["u1"]}, 2), ({"not_end_user": ["u1"]}, 5)):
        with people.as_("ada"):
            rows = people.all(WITH_TOTAL, *PERIOD, ["model"], json.dumps(filters))
        assert [(row["is_total"], row["calls"], row["cost"]) for row in rows] == [(False, 1, cost), (True, 1, cost)]


def test_without_calls_there_is_no_row_and_eve_sees_her_own_alone(two: People) -> None:
    with two.as_("eve"):
        assert [row["cost"] for row in two.all(WITH_TOTAL, *PERIOD, ["model"], "{}")] == [1000, 1000]
        assert two.all(WITH_TOTAL, *PERIOD, ["model"], '{"model": ["gpt-4o"]}') == []


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "usage_with_total") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", WITH_TOTAL, *PERIOD, [], "{}")
