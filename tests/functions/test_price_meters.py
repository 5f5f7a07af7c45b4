"""app.price_meters: what other models did for a call."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value

DRAWING = {"model": "s", "input_tokens": 5, "output_tokens": 7, "reasoning_tokens": 6, "total_tokens": 12}
DRAWN = {"model": "s", "quantities": {"input_text": 5, "output_text": 7}}
IMAGES = {"image_model": "i", "image_gen": {"input_tokens": 1, "output_tokens": 2}}
MADE = {"model": "i", "quantities": {"input_text": 1, "output_image": 2}}


@pytest.mark.parametrize(
    ("usage", "meters"),
    [
        (None, []), ({}, []), ({"svg_usage": None}, []),
        ({"svg_usage": DRAWING}, [DRAWN]),
        ({"svg_usage": [DRAWING, DRAWING | {"model": None}]}, [DRAWN, DRAWN | {"model": None}]),
        ({"tool_usage": IMAGES, "svg_usage": DRAWING}, [MADE, DRAWN]),
        ({"tool_usage": {"image_gen": {"input_tokens": 0, "output_tokens": 0}}}, []),
        ({"svg_usage": [DRAWING] * 16}, [DRAWN] * 16), ({"svg_usage": [DRAWING] * 17}, None),
        ({"svg_usage": {"model": "s"}}, None), ({"svg_usage": [3]}, None), ({"svg_usage": "x"}, None),
        ({"svg_usage": DRAWING | {"input_tokens": -1}}, None),
        ({"tool_usage": "x", "svg_usage": DRAWING}, None),
    ],
)  # fmt: skip
def test_images_and_drawings_are_meters_of_their_own(db, usage, meters):
    assert value(db, "app.price_meters(%s::jsonb)", json.dumps(usage)) == meters


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_meters") == {"authenticated"}
