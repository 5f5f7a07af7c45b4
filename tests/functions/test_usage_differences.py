"""app.usage_differences: counts under two names that differ."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 10, "input_tokens": 20}, ["prompt_tokens (10) and input_tokens (20) differ"]),
        ({"completion_tokens": 10, "output_tokens": "x"}, ["completion_tokens (10) and output_tokens (x) differ"]),
        ({"prompt_tokens": 10, "input_tokens": "10.0", "output_tokens": 0, "completion_tokens": 3}, []),
        (
            {
                "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 0},
                "input_token_details": {"cached_tokens": 2, "audio_tokens": 5},
            },
            ["prompt_tokens_details.cached_tokens (1) and input_token_details.cached_tokens (2) differ"],
        ),
        (
            {
                "prompt_tokens_details": "x",
                "input_tokens_details": {"a": None},
                "prompt_tokens": None,
                "input_tokens": 1,
            },
            [],
        ),
        ({}, []),
        ([], []),
        ("x", []),
        (None, []),
    ],
)
def test_each_count_that_differs_is_named_with_both_values(db, usage, expected):
    assert value(db, "to_jsonb(app.usage_differences(%s::jsonb))", json.dumps(usage)) == expected


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "usage_differences") == {"authenticated"}
