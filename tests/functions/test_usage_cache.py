"""app.usage_cache: totals of cached and written tokens, and what contradicts them."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value

DIFFER = "contradictory"


@pytest.mark.parametrize(
    ("written", "ttl", "expected"),
    [
        (50, {"ttl_30m_tokens": 30, "ttl_12h_tokens": 20}, 50),
        (50, {"ttl_12h_tokens": 20}, 50),
        (None, {"ttl_30m_tokens": 30, "ttl_12h_tokens": 20}, 50),
        (None, {"ttl_12h_tokens": 20}, 20),
        (50, {"ttl_30m_tokens": 30, "ttl_12h_tokens": 21}, DIFFER),
        (50, {"ttl_30m_tokens": 30, "ttl_12h_tokens": 19}, DIFFER),
        (50, {"ttl_12h_tokens": 51}, DIFFER),
        (50, {"ttl_12h_tokens": -1}, DIFFER),
        (50, {}, 50),
        (50, [], 50),
    ],
)
def test_written_tokens_are_the_sum_of_their_parts(db, written, ttl, expected):
    details = {"cache_write_tokens": written, "cache_write_tokens_details": ttl}
    details = {name: said for name, said in details.items() if said is not None}
    assert value(db, "app.usage_cache(%s::jsonb) -> 'cache_write_tokens'", json.dumps(details)) == expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"cached_tokens": 7, "cached_tokens_details": {"audio_tokens": 2}}, 7),
        ({"cached_tokens_details": {"audio_tokens": 2, "text_tokens": 3}}, 5),
        ({"cached_tokens_details": {"cached_image_tokens": 2, "cached_text_tokens": 3}}, 5),
        ({"cached_tokens_details": {"audio_tokens": "x"}}, "NaN"),
        ({"cached_tokens_details": "x"}, None),
    ],
)
def test_cached_tokens_without_a_total_are_the_sum_of_their_kinds(db, details, expected):
    assert value(db, "app.usage_cache(%s::jsonb) -> 'cached_tokens'", json.dumps(details)) == expected


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "usage_cache") == {"authenticated"}
