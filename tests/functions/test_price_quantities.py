"""app.price_quantities: every shape of usage as quantities by dimension."""

from __future__ import annotations

import json

import pytest
from checks import examples, executors
from hypothesis import given
from hypothesis import strategies as st
from pricing import CHAT, value

COUNTS = st.integers(0, 10**12) | st.sampled_from([0, 1, 7])


@pytest.mark.parametrize(
    ("endpoint", "usage", "expected"),
    [
        (CHAT, {"prompt_tokens": 5, "completion_tokens": 7}, {"input_text": 5, "output_text": 7}),
        ("/v1/responses", {"input_tokens": 5, "output_tokens": 7}, {"input_text": 5, "output_text": 7}),
        ("/v1/embeddings", {"prompt_tokens": 5, "total_tokens": 5}, {"input_text": 5, "output_text": 0}),
        (CHAT, {"prompt_tokens": 5, "total_tokens": 12}, {"input_text": 5, "output_text": 7}),
        (CHAT, {"completion_tokens": 7, "total_tokens": 12}, {"input_text": 5, "output_text": 7}),
        ("/v1/audio/speech", {"input_tokens": 5, "output_tokens": 7}, {"input_text": 5, "output_audio": 7}),
        ("/v1/images/edits", {"input_tokens": 5, "output_tokens": 7}, {"input_text": 5, "output_image": 7}),
        (
            "/v1/audio/transcriptions",
            {
                "type": "tokens",
                "input_tokens": 14,
                "input_token_details": {"audio_tokens": 14},
                "output_tokens": 45,
                "seconds": 3,
            },
            {"input_text": 0, "input_audio": 14, "output_text": 45},
        ),
        ("/v1/audio/transcriptions", {"type": "duration", "seconds": 9, "input_tokens": 3}, {"audio_seconds": 9}),
        (
            CHAT,
            {"prompt_tokens": 5, "completion_tokens": 0, "prompt_tokens_details": None},
            {"input_text": 5, "output_text": 0},
        ),
        (CHAT, None, {}),
        (CHAT, {}, {}),
        (CHAT, {"size": "1x1"}, {}),
        (CHAT, {"prompt_tokens": None}, {}),
        (CHAT, [], None),
        (CHAT, "x", None),
        (CHAT, {"completion_tokens": 7}, None),
        (CHAT, {"total_tokens": 7}, None),
        (CHAT, {"completion_tokens": 9, "total_tokens": 7}, None),
        (CHAT, {"prompt_tokens": {}}, None),
        (CHAT, {"prompt_tokens": 5}, None),
        (CHAT, {"prompt_tokens": 5, "completion_tokens": None}, None),
        ("/v1/responses", {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 2}}, None),
        (CHAT, {"prompt_tokens": 5, "total_tokens": 5}, {"input_text": 5, "output_text": 0}),
        ("/v1/embeddings", {"prompt_tokens": 5}, {"input_text": 5, "output_text": 0}),
        (None, {"prompt_tokens": 5}, {"input_text": 5, "output_text": 0}),
    ],
)
def test_every_shape_of_usage_becomes_quantities(db, endpoint, usage, expected):
    assert value(db, "app.price_quantities(%s, %s::jsonb)", endpoint, json.dumps(usage)) == expected


@examples(150)
@given(
    usage=st.fixed_dictionaries(
        {"prompt_tokens": COUNTS},
        optional={
            "completion_tokens": COUNTS,
            "total_tokens": COUNTS,
            "prompt_tokens_details": st.dictionaries(
                st.sampled_from(["cached_tokens", "audio_tokens", "cache_write_tokens", "text_tokens"]), COUNTS
            ),
            "completion_tokens_details": st.dictionaries(
                st.sampled_from(["reasoning_tokens", "audio_tokens", "rejected_prediction_tokens"]), COUNTS
            ),
        },
    )
)
def test_the_short_way_of_plain_text_says_what_the_long_way_says(db, usage):
    plain = value(db, "app.price_quantities(%s, %s::jsonb)", CHAT, json.dumps(usage))
    as_text = usage | {"prompt_tokens": str(usage["prompt_tokens"])}  # a string is never plain
    assert plain == value(db, "app.price_quantities(%s, %s::jsonb)", CHAT, json.dumps(as_text))


@pytest.mark.parametrize("number", ["5.0", "5e0", "5.0000000000004"])
def test_a_fraction_is_rounded_to_twelve_decimals_and_has_no_zeros(db, number):
    usage = f'{{"prompt_tokens": {number}, "completion_tokens": 0}}'
    assert value(db, "app.price_quantities(%s, %s::jsonb) ->> 'input_text'", CHAT, usage) == 5


@pytest.mark.parametrize("usage", [
    {"input_tokens": 10.5, "output_tokens": 1}, {"input_tokens": 10, "output_tokens": "1.5"},
    {"input_tokens": 0.5, "output_tokens": 0.5}, {"input_tokens": 1e-9, "output_tokens": 1},
    {"input_tokens": 10, "output_tokens": 1, "input_tokens_details": {"cached_tokens": 2.5}},
    {"input_tokens": 10, "output_tokens": 1, "input_tokens_details": {"cache_write_tokens": "15e-1"}},
    {"input_tokens": 10, "output_tokens": 1, "output_tokens_details": {"audio_tokens": 0.5}},
    {"prompt_tokens": 10, "total_tokens": 10.5},
])  # fmt: skip
def test_half_a_token_makes_the_usage_unusable(db, usage):
    assert value(db, "app.price_quantities(%s, %s::jsonb)", CHAT, json.dumps(usage)) is None


BATCH = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "input_tokens": 31493594, "output_tokens": 7}
MIRRORED = {"input_tokens": 0, "output_tokens": 0, "prompt_tokens": 31493594, "completion_tokens": 7}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (BATCH, {"input_text": 31493594, "output_text": 7}),
        (MIRRORED, {"input_text": 31493594, "output_text": 7}),
        (
            BATCH | {"prompt_tokens_details": {"cached_tokens": 0}, "input_tokens_details": {"cached_tokens": 4}},
            {"input_text": 31493590, "cached_text": 4, "output_text": 7},
        ),
        (
            MIRRORED | {"prompt_tokens_details": {"cached_tokens": 4}, "input_tokens_details": {"cached_tokens": 0}},
            {"input_text": 31493590, "cached_text": 4, "output_text": 7},
        ),
        (
            {"input_tokens": 9, "prompt_tokens": "9", "prompt_tokens_details": None, "output_tokens": 1,
             "input_token_details": {"cached_tokens": 2}, "completion_tokens": 1},
            {"input_text": 7, "cached_text": 2, "output_text": 1},
        ),
        ({"prompt_tokens": 10, "input_tokens": 20, "output_tokens": 1}, None),
        ({"input_tokens": 20, "output_tokens": 1, "completion_tokens": 2}, None),
        (
            {"input_tokens": 20, "output_tokens": 1, "input_tokens_details": {"cached_tokens": 1},
             "prompt_tokens_details": {"cached_tokens": 2}},
            None,
        ),
    ],
)  # fmt: skip
def test_two_families_of_names_are_one_usage_unless_they_contradict_each_other(db, usage, expected):
    assert value(db, "app.price_quantities(%s, %s::jsonb)", CHAT, json.dumps(usage)) == expected


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_quantities") == {"authenticated"}
