"""app.usage_counts: the counts of a usage object, whatever OpenAI named them."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 2}},
         [5, 7, {"cached_tokens": 2}, {}]),
        ({"input_tokens": 5, "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 2}},
         [5, 7, {}, {"reasoning_tokens": 2}]),
        ({"input_tokens": 5, "input_token_details": {"audio_tokens": 5}, "output_tokens": 7},
         [5, 7, {"audio_tokens": 5}, {}]),
        ({"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 5, "output_tokens": 7}, [5, 7, {}, {}]),
        ({"input_tokens": 0, "output_tokens": 0, "prompt_tokens": 5, "completion_tokens": 7}, [5, 7, {}, {}]),
        ({"input_tokens": 4, "output_tokens": 7, "prompt_tokens": 5}, ["contradictory", 7, {}, {}]),
        ({"input_tokens": 5, "output_tokens": 7, "cached_tokens": 2, "input_tokens_details": {"text_tokens": 5}},
         [5, 7, {"text_tokens": 5, "cached_tokens": 2}, {}]),
        ({"input_tokens": 5, "total_tokens": 12}, [5, 7, {}, {}]),
        ({"output_tokens": 7, "total_tokens": 12}, [5, 7, {}, {}]),
        ({"input_tokens": 5, "total_tokens": 5}, [5, None, {}, {}]),
        ({"input_tokens": 5, "total_tokens": 4}, [5, None, {}, {}]),
        ({"input_tokens": 5, "total_tokens": "x"}, [5, "NaN", {}, {}]),
        ({"input_tokens": "x", "output_tokens": None}, ["x", None, {}, {}]),
        ({"total_tokens": 5}, [None, None, {}, {}]),
        (None, [None, None, {}, {}]), ("x", [None, None, {}, {}]), ([], [None, None, {}, {}]),
        (7, [None, None, {}, {}]),
    ],
)  # fmt: skip
def test_every_shape_of_usage_has_the_same_four_parts(db, usage, expected):
    assert (
        value(
            db,
            "select jsonb_build_array(c.tokens_in, c.tokens_out, c.details_in, c.details_out)"
            " from app.usage_counts(%s::jsonb) c",
            json.dumps(usage),
        )
        == expected
    )


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "usage_counts") == {"authenticated"}
