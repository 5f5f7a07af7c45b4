"""app.price_image_tool_quantities: tokens of images made inside a response."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value

USED = {"input_tokens": 3, "input_tokens_details": {"image_tokens": 1, "text_tokens": 2}, "output_tokens": 9}
CACHED = {
    "input_tokens": 1000, "input_tokens_details": {"image_tokens": 800, "text_tokens": 200}, "output_tokens": 1000,
    "cached_tokens": 500, "cached_tokens_details": {"cached_image_tokens": 400, "cached_text_tokens": 100},
}  # fmt: skip
IDLE = {"input_tokens": 0, "input_tokens_details": {"image_tokens": 0, "text_tokens": 0}, "output_tokens": 0}


@pytest.mark.parametrize(
    ("tool_usage", "expected"),
    [
        (None, {}), ({}, {}), ({"web_search": {"num_requests": 1}}, {}), ({"image_gen": None}, {}),
        ({"image_gen": IDLE}, {}), ({"image_gen": IDLE, "image_model": "gpt-image-1"}, {}),
        ({"image_gen": USED}, {"input_text": 2, "input_image": 1, "output_image": 9}),
        ({"image_gen": None, "image_model": "gpt-image-1"}, None), ({"image_gen": {}, "image_model": None}, None),
        ({"image_gen": CACHED}, {"input_text": 100, "cached_text": 100, "input_image": 400, "cached_image": 400,
                                 "output_image": 1000}),
        ({"image_gen": {**USED, "video_tokens": 5}}, {"input_text": 2, "input_image": 1, "output_image": 9,
                                                      "tool_usage.image_gen.video_tokens": 5}),
        ({"image_gen": 3}, None), ([], None), ({"image_gen": {"output_tokens": 4}}, None),
    ],
)  # fmt: skip
def test_images_made_inside_a_response_are_counted(db, tool_usage, expected):
    usage = json.dumps({"input_tokens": 1, "tool_usage": tool_usage})
    assert value(db, "app.price_image_tool_quantities(%s::jsonb)", usage) == expected


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_image_tool_quantities") == {"authenticated"}
