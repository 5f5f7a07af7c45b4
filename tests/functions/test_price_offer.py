"""app.price_offer: which price on a sheet applies to a quantity."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value

SHEET = {
    "input_text": [{"id": 1, "context_min_tokens": 272_000}, {"id": 2}],
    "output_text": [{"id": 3}],
    "images": [{"id": 4}],
    "images:1024x1024": [{"id": 5}],
    "images:1024x1024+hd": [{"id": 6}],
    "cached_text": [{"id": 7, "context_min_tokens": 272_000}],
}


@pytest.mark.parametrize(
    ("key", "tokens", "chosen"),
    [
        ("input_text", 272_000, 2), ("input_text", 272_001, 1),
        ("cached_text", 272_001, 7), ("cached_text", 5, 2), ("cache_write", 300_000, 1),
        ("input_audio", 5, 2), ("input_image", 5, 2), ("output_audio", 5, 3), ("output_image", 5, 3),
        ("images:1024x1024+hd", 0, 6), ("images:1024x1024+low", 0, 5), ("images:512x512+hd", 0, 4), ("images:hd", 0, 4),
        ("cached_audio", 5, None), ("video_seconds", 0, None), ("video_seconds:4k", 0, None),
    ],
)  # fmt: skip
def test_the_first_price_that_fits_is_taken(db, key, tokens, chosen):
    got = value(db, "app.price_offer(%s::jsonb, %s, %s)", json.dumps(SHEET), key, tokens)
    assert (got and got["id"]) == chosen


def test_output_text_stands_in_the_other_way_round_too(db):
    assert value(db, "app.price_offer('{\"output_image\": [{\"id\": 1}]}', 'output_text', 0)") == {"id": 1}


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_offer") == {"authenticated"}
