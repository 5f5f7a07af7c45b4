"""app.price_tool_quantities: tool calls, sessions and video seconds."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value


@pytest.mark.parametrize(
    ("tools", "size", "expected"),
    [
        (None, None, {}), ({}, None, {}),
        ({"web_search_calls": 2, "file_search_calls": "3"}, None, {"web_search_calls": 2, "file_search_calls": 3}),
        ({"web_search_calls": None}, None, {}),
        ({"container_sessions:4g": 1}, None, {"container_sessions:4g": 1}),
        ({"video_seconds": "8"}, "1280x720", {"video_seconds": 8}),
        ({"video_seconds": 8}, "4096x4096", {"video_seconds:4096x4096": 8}),
        ([], None, None), (3, None, None), ({"web_search_calls": -1}, None, None), ({"Web Search": 1}, None, None),
        ({"output_text": 1}, None, None), ({"cache_write": 1}, None, None),
        ({"images": 1}, None, None), ({"audio_seconds": 1}, None, None), ({"input_text:x": 1}, None, None),
        ({"requests": 1}, None, None), ({"moon_calls": 1}, None, {"moon_calls": 1}),
        ({"calls_3d:x": 1}, None, {"calls_3d:x": 1}),
        ({"3d_calls": 1}, None, None), ({"regional_processing:eu": 1}, None, None),
        ({"a" * n: 1 for n in range(1, 34)}, None, None),
    ],
)  # fmt: skip
def test_tools_become_quantities(db, tools, size, expected):
    assert value(db, "app.price_tool_quantities(%s::jsonb, %s)", json.dumps(tools), size) == expected


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_tool_quantities") == {"authenticated"}
