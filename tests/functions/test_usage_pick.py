"""app.usage_pick: one of two values that a usage object gives for the same count."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value

DIFFER = "contradictory"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (5, 5, 5), (5, "5.0", 5), (0, 5, 5), (5, 0, 5), ("0", 5, 5), (5, 6, DIFFER), (5, -1, DIFFER), (5, "x", DIFFER),
        (0, "x", "x"),
        ({}, {}, {}), ({"a": 1}, {}, {"a": 1}), ({"a": 1, "b": 0}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2, "c": 3}),
        ({"a": 1}, {"a": 2}, {"a": DIFFER}), ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": 1}, "x", DIFFER), ({}, [], []),
    ],
)  # fmt: skip
def test_what_is_absent_or_0_gives_way_and_what_differs_is_contradictory(db, one, other, expected):
    assert value(db, "app.usage_pick(%s::jsonb, %s::jsonb)", json.dumps(one), json.dumps(other)) == expected
    assert value(db, "app.usage_pick(%s::jsonb, null)", json.dumps(one)) == one
    assert value(db, "app.usage_pick(null, %s::jsonb)", json.dumps(other)) == other


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "usage_pick") == {"authenticated"}
