"""app.price_variant: which unknown served names are variants of the requested one."""

from __future__ import annotations

import pytest
from checks import executors
from pricing import NOW


@pytest.mark.parametrize(
    ("requested", "served", "same"),
    [
        ("gpt-4o", "gpt-4o-2031-01-01", True),
        ("gpt-4o", "gpt-4o-20310101", True),
        ("gpt-4", "gpt-4-0713", True),
        ("gpt-9-2031-01-01", "gpt-9", True),
        ("gpt-9", " OpenAI/GPT-9 ", True),
        ("gpt-9", "gpt-9-preview", True),
        ("gpt-9", "gpt-9-preview-2031-01-01", True),
        ("gpt-9-latest", "gpt-9-2031-01-01", True),
        (
            "gpt-4o-2024-08-06",
            "gpt-4o-2031-01-01",
            True,
        ),  # without the date it is gpt-4o, whose price the other has too
        ("gpt-4o-2024-05-13", "gpt-4o-2031-01-01", False),  # its price is another than that of gpt-4o
        ("gpt-5.6-sol", "gpt-5-6-sol-20310101", True),
        ("gpt-4o", "gpt-4o-mini-2031-01-01", False),
        ("gpt-4o", "gpt-4o-9999", False),
        ("gpt-4o-mini", "acme-internal-70b", False),
        ("gpt-4o-mini", "claude-opus-4-5", False),
        ("gpt-4o", "gpt-4o-turbo", False),
        ("ft:gpt-4o-mini:acme::x", "ft:gpt-4o-mini-2031-07-18:acme::x", True),
        ("ft:gpt-4o-mini:acme::x", "ft:gpt-4o:acme::x", False),
        ("ft:gpt-4o:acme::x", "gpt-4o", False),
        ("gpt-4o", "ft:gpt-4o:acme::x", False),
        ("", "gpt-4o-2031-01-01", False),
        (None, "gpt-4o", False),
        ("gpt-4o", None, False),
        ("g" * 201, "g" * 201, False),
    ],
)
def test_only_a_date_an_ending_or_an_alias_makes_a_variant(db, requested, served, same):
    got = db.execute("select app.price_variant(null, %s, %s, %s) as same", [requested, served, NOW]).fetchone()
    assert got["same"] is same


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_variant") == {"authenticated"}
