"""app.price_output_quantities: output tokens split into dimensions, each billed once."""

from __future__ import annotations

import json

import pytest
from checks import examples, executors
from hypothesis import given
from hypothesis import strategies as st
from pricing import value

COUNTS = st.integers(0, 10**12)


def split(db, tokens, details, kind):
    return value(db, "app.price_output_quantities(%s, %s::jsonb, %s)", tokens, json.dumps(details), kind)


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("text", {}, {"output_text": 100}),
        ("text", {"reasoning_tokens": 90, "rejected_prediction_tokens": 5}, {"output_text": 100}),
        ("text", {"audio_tokens": 40}, {"output_text": 60, "output_audio": 40}),
        ("text", {"audio_tokens": 140}, {"output_audio": 100}),
        ("image", {}, {"output_image": 100}),
        ("image", {"text_tokens": 30}, {"output_text": 30, "output_image": 70}),
        ("image", {"image_tokens": 30, "text_tokens": 70}, {"output_text": 70, "output_image": 30}),
        ("image", {"image_tokens": 20, "text_tokens": 70}, {"output_text": 70, "output_image": 30}),
        ("audio", {"audio_tokens": 20, "text_tokens": 70}, {"output_text": 70, "output_audio": 30}),
        ("audio", {}, {"output_audio": 100}),
        ("audio", {"audio_tokens": 10}, {"output_text": 90, "output_audio": 10}),
    ],
)
def test_each_token_is_billed_once(db, kind, details, expected):
    assert split(db, 100, details, kind) == expected


def test_a_count_that_is_none_makes_it_unusable(db):
    assert split(db, 10, {"audio_tokens": -1}, "text") is None


@examples(60)
@given(tokens=COUNTS, details=st.dictionaries(st.sampled_from(["text_tokens", "audio_tokens", "image_tokens"]), COUNTS),
       kind=st.sampled_from(["text", "audio", "image"]))  # fmt: skip
def test_the_parts_are_never_negative_and_sum_to_the_whole(db, tokens, details, kind):
    parts = split(db, tokens, details, kind)
    assert min(parts.values(), default=0) >= 0
    assert sum(parts.values()) == tokens


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_output_quantities") == {"authenticated"}
