"""app.usage_bad_counts: counts of a usage object that are none."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"input_tokens": -5, "output_tokens": 10**30, "total_tokens": None},
            ["input_tokens (-5) is no count", f"output_tokens ({10**30}) is no count"],
        ),
        (
            {"input_tokens": 1.5, "seconds": 1.5, "images": "two"},
            ["images (two) is no count", "input_tokens (1.5) is no whole number"],
        ),
        (
            {"input_tokens": True, "output_tokens": [7], "size": "x"},
            ["input_tokens (true) is no count", "output_tokens ([7]) is no count"],
        ),
        (
            {"input_tokens_details": {"cached_tokens": "x", "cached_tokens_details": [], "type": "y"}},
            [
                "input_tokens_details.cached_tokens (x) is no count",
                "input_tokens_details.cached_tokens_details ([]) is no object",
            ],
        ),
        (
            {"prompt_tokens_details": "none", "completion_tokens_details": None},
            ["prompt_tokens_details (none) is no object"],
        ),
        ({"input_tokens": "7", "output_tokens": "1e2", "input_tokens_details": {"cached_tokens": 5}}, []),
        ([], []),
        ("x", []),
        (None, []),
    ],
)
def test_each_count_that_is_none_is_named_with_its_value(db, usage, expected):
    assert value(db, "to_jsonb(app.usage_bad_counts(%s::jsonb))", json.dumps(usage)) == expected


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "usage_bad_counts") == {"authenticated"}
