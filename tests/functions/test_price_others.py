"""app.price_others: the models that worked for a call beside its own."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value


@pytest.mark.parametrize(
    ("usage", "names"),
    [
        (None, None), ({}, None), ("svg_usage", None), ({"tool_usage": {"image_gen": {}}}, None),
        ({"image_model": "a"}, ["a"]),
        ({"image_model": "a", "tool_usage": {"image_model": "b"}}, ["b"]),
        ({"svg_usage": {"model": "s"}}, ["s"]),
        ({"image_model": "a", "svg_usage": [{"model": "s"}, {"model": "t"}, {"model": "s"}, {}]}, ["a", "s", "t"]),
        ({"svg_usage": [{"model": f"m{n:02}"} for n in range(99)]}, [f"m{n:02}" for n in range(16)]),
        ({"svg_usage": [{"model": None}, 3]}, None),
    ],
)  # fmt: skip
def test_image_tool_and_drawings_name_their_models(db, usage, names):
    assert value(db, "to_jsonb(app.price_others(%s::jsonb))", json.dumps(usage)) == names


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_others") == {"authenticated"}
