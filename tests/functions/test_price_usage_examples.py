"""Costs of calls with the meters, tiers and models of November 2026, worked out by hand from published prices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from pricing import CHAT, add_price, chat, price, usd

RESPONSES, EMBEDDINGS, IMAGES = "/v1/responses", "/v1/embeddings", "/v1/images/generations"


def response(tokens_in: int, tokens_out: int, **more: Any) -> dict[str, Any]:
    """A response's usage; `more`: input={…} for the details of the input, other names for more keys."""
    details = {"input_tokens_details": more.pop("input")} if "input" in more else {}
    return (
        {"input_tokens": tokens_in, "output_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
        | details
        | more
    )


def written_12h(cached: int, tokens: int) -> Mapping[str, Any]:
    by_time = {"ttl_30m_tokens": 0, "ttl_12h_tokens": tokens}
    return {"cached_tokens": cached, "cache_write_tokens": tokens, "cache_write_tokens_details": by_time}


SOL = response(10_000, 500, input={"cached_tokens": 1000})  # 0.0231 with gpt-6.1-sol
WINDOWED = response(10_000, 1000, input={"cached_tokens": 4096})  # 0.0222176
DRAWING = {"model": "gpt-5.4", "input_tokens": 100, "output_tokens": 50, "reasoning_tokens": 40, "total_tokens": 150}

CACHED_IMAGES = {
    "input_tokens": 1000,
    "input_tokens_details": {"text_tokens": 200, "image_tokens": 800},
    "cached_tokens": 500,
    "cached_tokens_details": {"cached_text_tokens": 100, "cached_image_tokens": 400},
    "output_tokens": 1000,
}  # model, usage, tools, cost
EXAMPLES = {
    "written for 12 hours": (
        "gpt-6.1-terra", response(100_000, 1000, input=written_12h(20_000, 50_000)), None, "0.161",
    ),
    "written for 12 hours, long context": (
        "gpt-6.1-sol", response(300_000, 2000, input=written_12h(100_000, 150_000)), None, "1.75",
    ),
    "a window of 2 hours": ("gpt-6.1-sol", WINDOWED | {"completion_window": "2h"}, None, "0.01555232"),
    "a window of 8 hours": ("gpt-6.1-sol", WINDOWED | {"completion_window": "8h"}, None, "0.01333056"),
    "no window": ("gpt-6.1-sol", WINDOWED | {"completion_window": "soonest"}, None, "0.0222176"),
    "the tools of a windowed response cost the full price": (
        "gpt-6.1-sol", WINDOWED | {"completion_window": "2h"}, {"file_search_calls": 2}, "0.02055232",
    ),
    "a container of 4 GB": ("gpt-6.1-sol", response(1000, 100), {"container_sessions:4g": 1}, "0.123"),
    "a container of 64 GB": ("gpt-6.1-sol", response(1000, 100), {"container_sessions:64g": 1}, "1.923"),
    "Europe": ("gpt-6.1-sol", SOL | {"region": "eu"}, None, "0.02541"),
    "Europe, whose fees have no addition": (
        "gpt-6.1-sol", SOL | {"region": "eu"}, {"container_sessions": 1, "web_search_calls": 1}, "0.06541",
    ),
    "Europe within two hours": (
        "gpt-6.1-sol", WINDOWED | {"region": "eu", "completion_window": "2h"}, None, "0.017107552",
    ),
    "the image tool, partly cached": (
        "gpt-6.1-sol", response(1000, 100, image_model="gpt-image-2", tool_usage={"image_gen": CACHED_IMAGES}), None,
        "0.037625",
    ),
    "no region": ("gpt-6.1-sol", SOL | {"region": None}, None, "0.0231"),
    "a drawing is a second meter": ("gpt-6.1-sol", SOL | {"svg_usage": DRAWING}, None, "0.0241"),
    "two drawings in Europe, in no window": (
        "gpt-6.1-sol", SOL | {"svg_usage": [DRAWING, DRAWING], "region": "eu", "completion_window": "2h"}, None,
        "0.019987",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_costs_exactly_what_openai_bills(db: psycopg.Connection, name: str) -> None:
    model, usage, tools, cost = EXAMPLES[name]
    got = price(db, model, usage, tools, endpoint=RESPONSES)
    assert (got.cost, got.status) == (Decimal(cost), "priced")
    assert sum(line["cost"] for line in got.lines) == got.cost


@pytest.mark.parametrize(("tier", "batch", "tokens"), [("fast", False, "2.94"), ("flex", False, "0.735"),
                                                       ("default", True, "0.735")])  # fmt: skip
def test_everything_at_once(db: psycopg.Connection, tier: str, batch: bool, tokens: str) -> None:
    """A tier, a long context of cached and written tokens of both kinds, a region and tools; tokens: in dollars."""
    written = {"ttl_30m_tokens": 20_000, "ttl_12h_tokens": 100_000}
    details = {"cached_tokens": 100_000, "cache_write_tokens": 120_000, "cache_write_tokens_details": written}
    usage = response(300_000, 2000, input=details) | {"region": "eu"}
    fees = {"web_search_calls": 1, "container_sessions:4g": 1}
    got = price(db, "gpt-6.1-sol", usage, fees, tier=tier, batch=batch, endpoint=RESPONSES)
    assert (got.cost, got.status) == (Decimal(tokens) * Decimal("1.1") + Decimal("0.13"), "priced")


def test_a_model_released_before_the_addition_has_none_but_for_the_government(db: psycopg.Connection) -> None:
    add_price(db, "gpt-5.2", "regional_processing", "0", unit_qty=1)
    add_price(db, "gpt-5.2", "regional_processing", "0.1", unit_qty=1, qualifier="gov")
    plain = price(db, "gpt-5.2", SOL, endpoint=RESPONSES)
    europe = price(db, "gpt-5.2", SOL | {"region": "eu"}, endpoint=RESPONSES)
    assert (europe.cost, europe.lines) == (Decimal("0.022925"), plain.lines)
    assert price(db, "gpt-5.2", SOL | {"region": "gov"}, endpoint=RESPONSES).cost == Decimal("0.0252175")


@pytest.mark.parametrize(
    ("model", "cost", "status"),
    [
        ("gpt-5", "0.02", "priced"),  # both tools cost $10 per 1,000
        ("gpt-4.1", None, "unpriced_dimension"),  # $10 or $25
        ("o1", None, "unpriced_dimension"),  # no price of the preview is known
    ],
)
def test_searches_by_one_of_two_tools_have_a_cost_only_where_both_cost_the_same(
    db: psycopg.Connection, model: str, cost: str | None, status: str
) -> None:
    got = price(db, model, response(0, 0), {"web_search_or_preview_calls": 2}, endpoint=RESPONSES)
    assert (got.cost, got.status) == (cost and Decimal(cost), status)
    assert got.quantities == {"web_search_or_preview_calls": 2}


def test_an_organization_s_own_share_goes_before_the_list_s(db: psycopg.Connection, people: Any) -> None:
    acme = people.orgs["ada"]
    add_price(db, "gpt-6.1-sol", "regional_processing", "0", unit_qty=1, qualifier="eu", org_id=acme)
    assert price(db, "gpt-6.1-sol", SOL | {"region": "eu"}, org=acme).cost == Decimal("0.0231")
    assert price(db, "gpt-6.1-sol", SOL | {"region": "eu"}, org=people.orgs["eve"]).cost == Decimal("0.02541")
    add_price(db, "*tokens", "completion_window", "-0.5", unit_qty=1, qualifier="2h", org_id=acme)
    assert price(db, "gpt-6.1-sol", WINDOWED | {"completion_window": "2h"}, org=acme).cost == Decimal("0.0111088")


@pytest.mark.parametrize("share", [{"region": "mars"}, {"completion_window": "30m"}, {"completion_window": 7},
                                   {"region": ["eu"]}, {"region": "e" * 999}])  # fmt: skip
def test_a_region_or_window_without_a_price_leaves_the_call_without_a_cost(db: psycopg.Connection, share: Any) -> None:
    got = price(db, "gpt-6.1-sol", SOL | share, endpoint=RESPONSES)
    assert (got.cost, got.status) == (None, "unpriced_dimension")
    assert got.lines[-1]["quantity"] == Decimal("0.0231") and got.lines[-1]["unit_price"] is None
    fees = price(db, "gpt-6.1-sol", share, {"file_search_calls": 2}, endpoint=RESPONSES)
    assert (fees.cost, fees.status) == (Decimal("0.005"), "priced"), "no tokens, so no part of them"


def test_an_image_tool_s_tokens_have_the_region_of_their_model_and_no_window(db: psycopg.Connection) -> None:
    add_price(db, "gpt-image-1", "regional_processing", "0", unit_qty=1)
    images = {"image_gen": {"input_tokens": 100, "output_tokens": 1000}}
    usage = SOL | {"region": "eu", "completion_window": "2h", "image_model": "gpt-image-2", "tool_usage": images}
    own = usd(("0.0231", "0.77", 1))
    assert price(db, "gpt-6.1-sol", usage).cost == own + usd((110, 5), (1100, 30))
    older = price(db, "gpt-6.1-sol", usage | {"image_model": "gpt-image-1"})
    assert older.cost == own + usd((100, 5), (1000, 40))


@pytest.mark.parametrize("drawing", [DRAWING | {"model": None}, DRAWING | {"model": "gpt-99"}])
def test_a_drawing_by_nobody_knows_which_model_has_no_cost(db: psycopg.Connection, drawing: Any) -> None:
    got = price(db, "gpt-6.1-sol", SOL | {"svg_usage": drawing}, endpoint=RESPONSES)
    assert (got.cost, got.status) == (None, "unpriced_model")


def test_drawings_alone_are_priced_and_drawings_that_nobody_counted_are_not(db: psycopg.Connection) -> None:
    alone = price(db, "gpt-image-2", {"svg_usage": DRAWING}, endpoint=IMAGES)
    assert (alone.cost, alone.lines[0]["model"]) == (Decimal("0.001"), "gpt-5.4")
    uncounted = price(db, "gpt-6.1-sol", SOL | {"svg_usage": {"model": "gpt-5.4"}}, endpoint=RESPONSES)
    assert (uncounted.cost, uncounted.status) == (None, "no_usage")


def test_decisions_have_prices_of_their_own(db: psycopg.Connection) -> None:
    add_price(db, "gpt-6-luna-decisions", "input_text", "0.1")
    add_price(db, "gpt-6-luna-decisions", "output_text", "0")
    got = price(db, "gpt-6-luna", response(2000, 300), endpoint="/v1/decisions", requested="gpt-6-luna")
    assert (got.cost, got.status) == (Decimal("0.0002"), "priced")
    other = price(db, "gpt-6.1-terra", response(2000, 300), endpoint="/v1/decisions")
    assert (other.cost, other.status) == (None, "unpriced_model")


@pytest.mark.parametrize("tier", ["fast_tier_temp_pilot", "balanced", "eco"])
def test_tokens_of_a_tier_nobody_knows_are_not_standard(db: psycopg.Connection, tier: str) -> None:
    got = price(db, "gpt-6.1-sol", SOL, {"file_search_calls": 2}, tier=tier)
    assert (got.cost, got.status) == (None, "unpriced_dimension")
    assert {line["tier"] for line in got.lines} == {tier, "standard"}
    assert price(db, "gpt-6.1-sol", None, {"file_search_calls": 2}, tier=tier).cost == Decimal("0.005")
    assert price(db, "gpt-5-mini", chat(1000, 0), tier="ultrafast").status == "tier_fallback"


@pytest.mark.parametrize(
    ("endpoint", "served", "requested", "usage", "cost"),
    [
        (EMBEDDINGS, "ada", "text-embedding-ada-002", {"prompt_tokens": 1_000_000, "total_tokens": 1_000_000}, "0.1"),
        (EMBEDDINGS, "ada", "gpt-4o", {"prompt_tokens": 1_000_000, "total_tokens": 1_000_000}, None),
        (CHAT, "acme-internal-70b", "gpt-4o-mini", chat(1000, 0), None),
        (CHAT, "claude-opus-4-5", "gpt-4o-mini", chat(1000, 0), None),
        (CHAT, "ft:gpt-4o-mini-2024-07-18:acme::x", "ft:gpt-4o-mini:acme::x", chat(1000, 0), "0.0003"),
        (CHAT, "gpt-4o-mini-2031-01-01", "gpt-4o-mini", chat(1000, 0), "0.00015"),
        (CHAT, "gpt-4o-mini", "acme-deployment", chat(1000, 0), "0.00015"),
        (CHAT, "text-embedding-3-small", "gpt-4o-mini", chat(1000, 1), None),
        (IMAGES, None, None, {"input_tokens": 10, "output_tokens": 10}, None),
        (IMAGES, None, None, {"images": 1, "size": "1024x1024"}, None),
    ],
)
def test_a_name_that_does_not_fit_decides_nothing(
    db: psycopg.Connection, endpoint: str, served: str | None, requested: str | None, usage: Any, cost: str | None
) -> None:
    got = price(db, served, usage, endpoint=endpoint, requested=requested)
    assert got.cost == (cost and Decimal(cost))
    if cost is None:
        assert got.status == ("unpriced_dimension" if served == "text-embedding-3-small" else "unpriced_model")
