"""app.price_unit_quantities: seconds, characters and images."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value


@pytest.mark.parametrize(
    ("usage", "by_seconds", "expected"),
    [
        ({"seconds": 9}, True, {"audio_seconds": 9}),
        ({"seconds": 9}, False, {}),
        ({"characters": 4095}, True, {"input_characters": 4095}),
        ({"images": 2}, True, {"images": 2}),
        ({"images": 2, "size": "1024x1024"}, True, {"images:1024x1024": 2}),
        ({"images": 2, "size": "1024x1024", "quality": "hd"}, True, {"images:1024x1024+hd": 2}),
        (
            {"seconds": 90, "active_seconds": 60, "paused_seconds": 30},
            True,
            {"audio_seconds": 60, "standby_seconds": 30},
        ),
        ({"seconds": 90, "paused_seconds": 30}, True, {"audio_seconds": 60, "standby_seconds": 30}),
        ({"seconds": 90, "active_seconds": 90, "paused_seconds": 0}, True, {"audio_seconds": 90}),
        (
            {"seconds": 90, "active_seconds": 60, "paused_seconds": 31},
            True,
            {"audio_seconds": 60, "standby_seconds": 31},
        ),
        ({"seconds": 90, "active_seconds": 60, "paused_seconds": 32}, True, None),
        ({"seconds": 90, "paused_seconds": 91}, True, None),
        ({"seconds": 90, "active_seconds": "x"}, True, None),
        ({"seconds": -9}, True, None),
        ({"seconds": -9}, False, None),
        ({"images": "two"}, True, None),
    ],
)
def test_what_is_not_a_token_is_counted_in_its_own_unit(db, usage, by_seconds, expected):
    assert value(db, "app.price_unit_quantities(%s::jsonb, %s)", json.dumps(usage), by_seconds) == expected


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_unit_quantities") == {"authenticated"}
