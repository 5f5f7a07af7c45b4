"""app.labels_other: whether a day of a period may count the end users and tags of filters as (other)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from checks import executors
from ledgers import DAY, add_call
from people import People
from test_labels_beyond import FULL

OTHER = "select app.labels_other(%s, %s, %s::jsonb) as yes"
PERIOD = (DAY - timedelta(days=1), DAY + timedelta(days=1))


def other(people: People, filters: dict[str, Any], since: Any = PERIOD[0], until: Any = PERIOD[1]) -> bool:
    with people.as_("ada"):
        return people.one(OTHER, since, until, json.dumps(filters))["yes"]


@pytest.fixture
def full(people: People) -> People:
    """A day that has no room for further end users and tags, and two calls that come with some."""
    add_call(people, "ada", DAY, tags={"team": "first"})
    people.conn.execute(FULL, [people.orgs["ada"], DAY.date()])
    add_call(people, "ada", DAY, end_user="u1", tags={"team": "web"})
    return people


@pytest.mark.parametrize("filters", [{"end_user": ["u1"]}, {"not_end_user": ["u1"]}, {"tag": ["team=web"]},
                                     {"tag": ["team"]}, {"not_tag": ["team=web"]}])  # fmt: skip
def test_a_day_that_counts_labels_as_other_is_found_and_others_are_not(full: People, filters: dict) -> None:
    assert other(full, filters)
    assert not other(full, filters, DAY + timedelta(days=1), DAY + timedelta(days=5))


def test_filters_that_ask_for_no_label_are_none_of_its_business(full: People) -> None:
    assert not other(full, {"model": ["gpt-4o"], "status": ["200"]})


def test_only_people_may_run_it_and_each_sees_only_their_own_days(full: People) -> None:
    with full.as_("eve"):
        assert not full.one(OTHER, *PERIOD, '{"end_user": ["u1"]}')["yes"]
    assert executors(full.conn, "labels_other") == {"authenticated"}
    with full.as_("nobody"):
        full.refused("42501", OTHER, *PERIOD, "{}")
