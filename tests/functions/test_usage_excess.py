"""app.usage_excess: parts that are more than their total."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 500}},
            ["cached_tokens (500) is more than input_tokens (100)"],
        ),
        (
            {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 60}},
            ["cached_tokens plus cache_write_tokens (120) is more than prompt_tokens (100)"],
        ),
        (
            {"output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 6}},
            ["reasoning_tokens (6) is more than output_tokens (5)"],
        ),
        (
            {"input_tokens": 9, "cached_tokens": 1, "cached_tokens_details": {"cached_image_tokens": 2}},
            ["cached cached_image_tokens (2) is more than cached_tokens (1)"],
        ),
        (
            {"seconds": 90, "paused_seconds": 92},
            [
                "paused_seconds (92) is more than seconds (90)",
                "active_seconds plus paused_seconds (92) is more than seconds plus 1 (91)",
            ],
        ),
        ({"seconds": 90, "active_seconds": 60, "paused_seconds": 31}, []),
        (
            {
                "input_tokens": 99,
                "input_tokens_details": {
                    "cache_write_tokens": 50,
                    "cache_write_tokens_details": {"ttl_30m_tokens": 40, "ttl_12h_tokens": 20},
                },
            },
            ["ttl_30m_tokens (40) and ttl_12h_tokens (20) do not add up to cache_write_tokens (50)"],
        ),
        (
            {
                "input_tokens": 99,
                "input_tokens_details": {
                    "cache_write_tokens": 50,
                    "cache_write_tokens_details": {"ttl_12h_tokens": 51},
                },
            },
            ["ttl_30m_tokens (not given) and ttl_12h_tokens (51) do not add up to cache_write_tokens (50)"],
        ),
        (
            {"input_tokens": 3, "output_tokens": 4, "total_tokens": 8},
            ["total_tokens (8) is not input_tokens plus output_tokens (7)"],
        ),
        ({"input_tokens": 3, "output_tokens": "x", "total_tokens": 8, "input_tokens_details": "x"}, []),
        ([], []),
        ("x", []),
        (None, []),
    ],
)
def test_each_part_that_is_more_than_its_total_is_named(db, usage, expected):
    assert value(db, "to_jsonb(app.usage_excess(%s::jsonb))", json.dumps(usage)) == expected


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "usage_excess") == {"authenticated"}
