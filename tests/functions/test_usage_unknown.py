"""app.usage_unknown: what a usage object counts under names that nobody knows."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 5, "size": "1x1", "k1": {"n_tokens": 5}}, {}),
        ({"video_tokens": 5}, {"video_tokens": 5}),
        ({"video_seconds": "1.5"}, {"usage.video_seconds": 1.5}),  # not the dimension of that name
        ({"standby_seconds": 3}, {"usage.standby_seconds": 3}),
        ({"video_tokens": 0, "smell_tokens": None, "taste_tokens": "x", "touch_details": {"a": [0]}}, {}),
        ({"touch_details": {"a": [1, {"b": "2"}]}}, {"touch_details": 3}),
        ({"video_tokens": -5}, {"video_tokens": 1}),
        ({"video_tokens": 10**30}, {"video_tokens": 1}),
        ({"input_tokens_details": {"video_tokens": 5, "cached_tokens": 3}}, {"input_tokens_details.video_tokens": 5}),
        ({"output_tokens_details": {"pictures": 5, "reasoning_tokens": 3}}, {"output_tokens_details.pictures": 5}),
        ({"output_tokens_details": {"cached_tokens": 5}}, {"output_tokens_details.cached_tokens": 5}),
        (
            {"prompt_tokens_details": {"cached_tokens_details": {"video_tokens": 5, "audio_tokens": 1}}},
            {"prompt_tokens_details.cached_tokens_details.video_tokens": 5},
        ),
        (
            {"input_tokens_details": {"cache_write_tokens_details": {"ttl_7d_tokens": 5, "ttl_30m_tokens": 1}}},
            {"input_tokens_details.cache_write_tokens_details.ttl_7d_tokens": 5},
        ),
        ({"input_tokens_details": {"a:b<c> d": 5}}, {"input_tokens_details.abcd": 5}),
        ({"x" * 90 + "_tokens": 5}, {"x" * 80: 5}),
        ({f"n{n}_tokens": 1 for n in range(12)}, {f"n{n}_tokens": 1 for n in (0, 1, 2, 3, 4, 5, 10, 11)}),
    ],
)
def test_unknown_names_that_count_something_are_found_by_their_path(db, usage, expected):
    assert value(db, "app.usage_unknown(%s::jsonb)", json.dumps(usage)) == expected


# Every member of every usage object in openai-python 3.57.0 that counts something.
DOCUMENTED = {
    "input_tokens": 9, "output_tokens": 9, "total_tokens": 18, "reasoning_tokens": 1, "cached_tokens": 2,
    "cached_tokens_details": {"cached_image_tokens": 1, "cached_text_tokens": 1},
    "input_tokens_details": {
        "audio_tokens": 1, "image_tokens": 1, "text_tokens": 1, "cached_tokens": 2, "cache_write_tokens": 2,
        "cached_tokens_details": {"audio_tokens": 1, "image_tokens": 1, "text_tokens": 1},
        "cache_write_tokens_details": {"ttl_12h_tokens": 1, "ttl_30m_tokens": 1}},
    "output_tokens_details": {
        "audio_tokens": 1, "image_tokens": 1, "text_tokens": 1, "reasoning_tokens": 1, "accepted_prediction_tokens": 1,
        "rejected_prediction_tokens": 1},
    "seconds": 3, "active_seconds": 2, "paused_seconds": 1, "num_requests": 3,
}  # fmt: skip


def test_every_documented_name_is_known(db):
    chat = {
        "prompt_tokens": 9,
        "completion_tokens": 9,
        "prompt_tokens_details": DOCUMENTED["input_tokens_details"],
        "completion_tokens_details": DOCUMENTED["output_tokens_details"],
    }
    realtime = {
        "input_token_details": DOCUMENTED["input_tokens_details"],
        "output_token_details": DOCUMENTED["output_tokens_details"],
    }
    for usage in (DOCUMENTED, chat, realtime):
        assert value(db, "app.usage_unknown(%s::jsonb)", json.dumps(usage)) == {}


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "usage_unknown") == {"authenticated"}
