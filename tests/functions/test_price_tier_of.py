"""app.price_tier_of: which tier of the price list a call is billed at."""

from __future__ import annotations

import pytest
from checks import executors


@pytest.mark.parametrize(
    ("served", "batch", "tier"),
    [
        (None, None, "standard"),
        ("default", False, "standard"),
        ("auto", False, "standard"),
        ("scale", False, "standard"),
        ("priority", False, "priority"),
        ("fast", False, "priority"),
        (" Flex ", False, "flex"),
        ("ultrafast", False, "ultrafast"),
        ("default", True, "batch"),
        ("priority", True, "batch"),
        ("standard", False, "standard"),
        ("", False, "standard"),
        (" Eco ", False, "eco"),
        ("fast_tier_temp_pilot", False, "fast_tier_temp_pilot"),
        ("eco", True, "batch"),
        ("x" * 1_000_000, False, "x" * 40),
    ],
)
def test_the_batch_flag_goes_first_then_the_served_tier(db, served, batch, tier):
    assert db.execute("select app.price_tier_of(%s, %s) as tier", [served, batch]).fetchone()["tier"] == tier


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_tier_of") == {"authenticated"}
