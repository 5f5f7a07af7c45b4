"""app.price_input_quantities: input tokens split into dimensions, each billed once."""

from __future__ import annotations

import json

import pytest
from checks import examples, executors
from hypothesis import given
from hypothesis import strategies as st
from pricing import value

COUNTS = st.integers(0, 10**12)


def split(db, tokens, details):
    return value(db, "app.price_input_quantities(%s, %s::jsonb)", tokens, json.dumps(details))


@pytest.mark.parametrize(
    ("tokens", "details", "expected"),
    [
        (100, {}, {"input_text": 100}),
        (100, {"cached_tokens": 30}, {"input_text": 70, "cached_text": 30}),
        (
            100,
            {"cached_tokens": 30, "cache_write_tokens": 50},
            {"input_text": 20, "cached_text": 30, "cache_write": 50},
        ),
        (100, {"audio_tokens": 60, "image_tokens": 10}, {"input_text": 30, "input_audio": 60, "input_image": 10}),
        (
            100,
            {"cached_tokens": 40, "audio_tokens": 50, "cached_tokens_details": {"audio_tokens": 20, "image_tokens": 5}},
            {"input_text": 30, "input_audio": 30, "cached_text": 15, "cached_audio": 20, "cached_image": 5},
        ),
        (
            100,
            {"cache_write_tokens": 50, "cache_write_tokens_details": {"ttl_12h_tokens": 20}},
            {"input_text": 50, "cache_write": 30, "cache_write_12h": 20},
        ),
        (
            40,
            {"cache_write_tokens": 50, "cache_write_tokens_details": {"ttl_12h_tokens": 20, "ttl_30m_tokens": 30}},
            {"input_text": 0, "cache_write": 20, "cache_write_12h": 20},
        ),
        (127, {"cached_tokens": 384}, {"input_text": 0, "cached_text": 127}),  # seen in OpenAI's own examples
        (
            10,
            {"cached_tokens": 8, "cache_write_tokens": 8, "audio_tokens": 9},
            {"input_text": 0, "cached_text": 8, "cache_write": 2},
        ),
    ],
)
def test_each_token_is_billed_once(db, tokens, details, expected):
    assert split(db, tokens, details) == expected


@pytest.mark.parametrize(
    "details",
    [
        {"cached_tokens": -1},
        {"audio_tokens": "x"},
        {"cached_tokens_details": []},
        {"cache_write_tokens_details": []},
        {"cache_write_tokens_details": {"ttl_12h_tokens": -1}},
        {"cached_tokens_details": {"audio_tokens": 1e18}},
    ],
)
def test_a_count_that_is_none_makes_it_unusable(db, details):
    assert split(db, 10, details) is None


@examples(60)
@given(tokens=COUNTS, cached=COUNTS, write=COUNTS, audio=COUNTS, image=COUNTS, cached_audio=COUNTS, cached_image=COUNTS)
def test_whatever_the_details_say_the_parts_are_never_negative_and_sum_to_the_whole(
    db, tokens, cached, write, audio, image, cached_audio, cached_image
):
    details = {
        "cached_tokens": cached,
        "cache_write_tokens": write,
        "audio_tokens": audio,
        "image_tokens": image,
        "cached_tokens_details": {"audio_tokens": cached_audio, "image_tokens": cached_image},
    }
    parts = split(db, tokens, details)
    assert min(parts.values()) >= 0
    assert sum(parts.values()) == tokens


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_input_quantities") == {"authenticated"}
