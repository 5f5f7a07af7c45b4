"""app.usage_problems: what contradicts itself in a usage object."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 2,
                "total_tokens": 12,
                "prompt_tokens_details": {"cached_tokens": 4},
            },
            [],
        ),
        (
            {"prompt_tokens": 10, "input_tokens": 20, "output_tokens": -1},
            ["prompt_tokens (10) and input_tokens (20) differ", "output_tokens (-1) is no count"],
        ),
        (
            {"tool_usage": {"image_gen": {"input_tokens": 1, "cached_tokens": 2}}},
            ["image_gen: cached_tokens (2) is more than input_tokens (1)"],
        ),
        ({"tool_usage": {"image_gen": "x"}}, []),
        ({f"n{n}_tokens": -1 for n in range(100, 130)}, [f"n{n}_tokens (-1) is no count" for n in range(100, 120)]),
        ([], []),
        ("x", []),
        (None, []),
    ],
)
def test_all_that_is_wrong_is_named_once(db, usage, expected):
    assert value(db, "to_jsonb(app.usage_problems(%s::jsonb))", json.dumps(usage)) == expected


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "usage_problems") == {"authenticated"}
