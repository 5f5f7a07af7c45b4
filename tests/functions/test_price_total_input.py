"""app.price_total_input: the size of a call's context in tokens."""

from __future__ import annotations

import json

from checks import executors
from pricing import value


def test_cached_and_written_tokens_count_and_output_does_not(db):
    parts = {
        "input_text": 1,
        "input_audio": 2,
        "input_image": 4,
        "cached_text": 8,
        "cached_audio": 16,
        "cached_image": 32,
        "cache_write": 64,
        "output_text": 1000,
        "web_search_calls": 1000,
    }
    assert value(db, "app.price_total_input(%s::jsonb)", json.dumps(parts)) == 127
    assert value(db, "app.price_total_input('{}')") == 0


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_total_input") == {"authenticated"}
