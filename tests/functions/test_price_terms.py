"""app.price_terms: how a call is billed, apart from its usage."""

from __future__ import annotations

import pytest
from checks import executors
from pricing import CHAT, NOW, add_price, value


def terms(db, served, requested=None, endpoint=CHAT, size=None, others=None, tier="standard"):
    return value(db, "app.price_terms(null, %s, %s, %s, %s, %s, %s, true, null, %s)",
                 endpoint, served, requested, size, others, tier, NOW)  # fmt: skip


@pytest.mark.parametrize(
    ("served", "requested", "model", "match"),
    [
        ("gpt-4o-2024-08-06", "gpt-4", "gpt-4o", "exact"),
        (None, "gpt-image-1", "gpt-image-1", "requested"),
        ("gpt-4o-2031-01-01", "gpt-4o", "gpt-4o", "requested"),
        ("ft:gpt-9:acme::x", "gpt-4o", None, None),
        ("ft:gpt-9:acme::x", "ft:gpt-4o-2024-08-06:acme::x", None, None),
        ("ft:gpt-4o:acme::x", "ft:gpt-4o-2024-08-06:acme::x", "ft:gpt-4o", "requested"),
        ("acme-internal-70b", "gpt-4o", None, None),
        ("gpt-4o", "my-deployment", "gpt-4o", "name"),
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


def test_tokens_of_a_tier_nobody_knows_have_no_price_and_tools_have(db):
    got = terms(db, "gpt-5-mini", tier="eco")
    assert (got["fallback"], got["unknown_tier"]) == (False, "eco")
    assert "input_text" not in got["sheet"] and "web_search_calls" in got["sheet"]
    assert terms(db, "gpt-5-mini", tier="flex")["unknown_tier"] is None


@pytest.mark.parametrize(
    ("endpoint", "served", "requested", "model", "match"),
    [
        ("/v1/embeddings", "ada", "text-embedding-ada-002", "text-embedding-ada-002", "requested"),
        ("/v1/embeddings", "ada", "gpt-4o", None, None),
        ("/v1/embeddings", "gpt-4o", None, None, None),
        ("/v1/embeddings", None, "gpt-4o", None, None),
        ("/v1/embeddings", "", "gpt-4o", None, None),
        ("/v1/completions", "ada", "text-embedding-ada-002", "ada", "name"),
        ("/v1/audio/transcriptions", "gpt-4o", "gpt-4o-transcribe", "gpt-4o-transcribe", "requested"),
        ("/v1/images/generations", "gpt-4o", "gpt-image-1", "gpt-image-1", "requested"),
        ("/v1/images/generations", None, None, None, None),
    ],
)
def test_a_served_name_that_cannot_have_served_the_endpoint_is_not_believed(
    db, endpoint, served, requested, model, match
):
    got = terms(db, served, requested, endpoint=endpoint)
    assert got["model"] == model
    assert model is None or got["match"] == match


def test_decisions_have_prices_of_their_own(db):
    add_price(db, "gpt-6-luna-decisions", "input_text", "0.1")
    assert terms(db, "gpt-6-luna", endpoint="/v1/decisions")["model"] == "gpt-6-luna-decisions"
    assert terms(db, "gpt-6-luna")["model"] == "gpt-6-luna"
    assert terms(db, "gpt-5-nano", endpoint="/v1/decisions")["model"] is None
    assert terms(db, "gpt-99", endpoint="/v1/decisions")["model"] is None


def test_a_large_video_is_another_model(db):
    assert terms(db, "sora-2-pro", size="1024x1792")["model"] == "sora-2-pro-high-res"
    assert terms(db, "sora-2-pro", size="720x1280")["model"] == "sora-2-pro"


def test_each_other_model_has_terms_of_its_own(db):
    got = terms(db, "gpt-5.4", others=["gpt-image-1", "gpt-99"])
    assert (got["model"], got["others"]["gpt-image-1"]["model"]) == ("gpt-5.4", "gpt-image-1")
    assert got["others"]["gpt-99"]["model"] is None
    assert terms(db, "gpt-5.4")["others"] is None


def test_moderations_are_one_model_and_only_exact_names_are_free_elsewhere(db):
    assert terms(db, "anything", endpoint="/v1/moderations")["by_request"]
    assert terms(db, "moderation")["by_request"]
    assert not terms(db, "acme-moderation")["by_request"]
    assert not terms(db, None, "acme-moderation")["by_request"]
    assert not terms(db, "gpt-4o")["by_request"]


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_terms") == {"authenticated"}
