"""app.price_terms: how a call is billed, apart from its usage."""

from __future__ import annotations

import pytest
from checks import executors
from pricing import CHAT, NOW, value


def terms(db, served, requested=None, endpoint=CHAT, size=None, image=None, tier="standard"):
    return value(db, "app.price_terms(null, %s, %s, %s, %s, %s, %s, true, null, %s)",
                 endpoint, served, requested, size, image, tier, NOW)  # fmt: skip


@pytest.mark.parametrize(
    ("served", "requested", "model", "match"),
    [
        ("gpt-4o-2024-08-06", "gpt-4", "gpt-4o", "exact"),
        (None, "gpt-image-1", "gpt-image-1", "requested"),
        ("gpt-4o-2031-01-01", "gpt-4o", "gpt-4o", "requested"),
        ("ft:gpt-9:acme::x", "gpt-4o", None, None),
        ("ft:gpt-9:acme::x", "ft:gpt-4o-2024-08-06:acme::x", "ft:gpt-4o", "requested"),
    ],
)
def test_the_served_name_decides_and_the_requested_one_stands_in(db, served, requested, model, match):
    got = terms(db, served, requested)
    assert (got["model"], got["match"]) == (model, match)


def test_a_tier_without_prices_falls_back_and_says_so(db):
    assert not terms(db, "gpt-5-mini", tier="flex")["fallback"]
    got = terms(db, "gpt-5-mini", tier="ultrafast")
    assert got["fallback"]
    assert got["sheet"]["input_text"][0]["tier"] == "standard"


def test_a_large_video_is_another_model(db):
    assert terms(db, "sora-2-pro", size="1024x1792")["model"] == "sora-2-pro-high-res"
    assert terms(db, "sora-2-pro", size="720x1280")["model"] == "sora-2-pro"


def test_an_image_model_has_terms_of_its_own(db):
    got = terms(db, "gpt-5.4", image="gpt-image-1")
    assert (got["model"], got["image"]["model"]) == ("gpt-5.4", "gpt-image-1")
    assert terms(db, "gpt-5.4")["image"] is None


def test_moderations_are_one_model_and_only_exact_names_are_free_elsewhere(db):
    assert terms(db, "anything", endpoint="/v1/moderations")["by_request"]
    assert terms(db, "moderation")["by_request"]
    assert not terms(db, "acme-moderation")["by_request"]
    assert not terms(db, None, "acme-moderation")["by_request"]
    assert not terms(db, "gpt-4o")["by_request"]


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_terms") == {"authenticated"}
