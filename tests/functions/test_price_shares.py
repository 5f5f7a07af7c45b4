"""app.price_shares: completion window and region of a call."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value

BOTH = {"region": " EU ", "completion_window": "2h"}


@pytest.mark.parametrize(
    ("usage", "main", "shares"),
    [
        (None, True, []), ({}, True, []), ("region", True, []), ({"region": None, "completion_window": None}, True, []),
        ({"region": "", "completion_window": "soonest"}, True, []),
        (BOTH, True, ["completion_window:2h", "regional_processing:eu"]),
        (BOTH, False, ["regional_processing:eu"]),
        ({"completion_window": "9" * 99}, True, ["completion_window:" + "9" * 80]),
    ],
)  # fmt: skip
def test_the_window_comes_first_and_is_for_the_call_s_own_tokens_only(db, usage, main, shares):
    assert value(db, "to_jsonb(app.price_shares(%s::jsonb, %s))", json.dumps(usage), main) == shares


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_shares") == {"authenticated"}
