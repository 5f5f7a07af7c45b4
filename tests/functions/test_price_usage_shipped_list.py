"""The shipped price list (db/prices/*.csv): what OpenAI bills, from when, and that the list has no holes."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from pricing import NOW, exact, price

from webapp.postgres import shipped_prices

TOKENS = {
    "input_text", "cached_text", "cache_write", "cache_write_12h", "output_text", "input_audio", "cached_audio",
    "output_audio", "input_image", "cached_image", "output_image",
}  # fmt: skip
# Price models released on or after 2026-03-05, whose tokens cost 10 % more in a region. All others have a row of 0.
REGIONS_COST_MORE = {
    "daybreak-blue-latest", "daybreak-red-latest", "gpt-5.4", "gpt-5.4-image-2", "gpt-5.4-mini", "gpt-5.4-nano",
    "gpt-5.4-pro", "gpt-5.5", "gpt-5.5-cyber", "gpt-5.5-pro", "gpt-5.6-cyber", "gpt-5.6-luna", "gpt-5.6-sol",
    "gpt-5.6-terra", "gpt-6-astra", "gpt-6-cyber", "gpt-6-luna", "gpt-6-luna-decisions", "gpt-6-rosalind",
    "gpt-6-sol", "gpt-6.1-sol", "gpt-6.1-terra", "gpt-6.2-astra", "gpt-6.2-sol", "gpt-chat-latest", "gpt-image-2",
    "gpt-image-2.5-flare", "gpt-image-2.5-sunburst", "gpt-image-2.6-flare", "gpt-image-2.6-sunburst",
    "gpt-realtime-2", "gpt-realtime-2.1-mini", "gpt-rosalind-discovery", "gpt-rosalind-research",
}  # fmt: skip
RESPONSES, LIVE = "/v1/responses", "/v1/live/sessions"
SOL_62, LIVE_11, IMAGE_26 = "2026-11-17T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-04T00:00:00Z"


def read(name: str) -> list[dict[str, str]]:
    with (shipped_prices.PRICES / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


ROWS, ALIASES = read("model_prices.csv"), read("price_aliases.csv")


def key(row: dict[str, str]) -> tuple[str, ...]:
    """What two rows may not share; see the unique constraint of model_prices."""
    return tuple(
        row[name]
        for name in (
            "model", "dimension", "service_tier", "context_min_tokens", "qualifier", "valid_from", "revision",
        )
    )  # fmt: skip


def prices_of(model: str, tier: str) -> dict[tuple[str, ...], Decimal]:
    """{(dimension, context band, valid from): dollars for one token} of a model in a tier."""
    return {
        (row["dimension"], row["context_min_tokens"], row["valid_from"]): Decimal(row["unit_price"])
        / Decimal(row["unit_qty"])
        for row in ROWS
        if (row["model"], row["service_tier"]) == (model, tier) and row["dimension"] in TOKENS
    }


def bill(db: psycopg.Connection, model: str, quantities: dict[str, int], at: str = NOW) -> Decimal:
    """Cost of quantities at the standard prices of a model, without the reading of a usage."""
    row = db.execute(
        "select b.cost::text as cost"
        " from app.price_terms(null, %s, %s, null, null, null, 'standard', true, null, %s) t,"
        " app.price_bill(%s::jsonb, t, null) b",
        [RESPONSES, model, at, json.dumps(quantities)],
    ).fetchone()
    return exact(row["cost"])


def responses(tokens_in: int, tokens_out: int) -> dict[str, Any]:
    return {"input_tokens": tokens_in, "output_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}


def test_no_two_rows_have_the_same_key():
    assert len({key(row) for row in ROWS}) == len(ROWS)
    assert len({(row["kind"], row["pattern"]) for row in ALIASES}) == len(ALIASES)


def test_every_row_has_an_exact_price_a_date_and_a_source():
    for row in ROWS:
        assert Decimal(row["unit_price"]).is_finite() and int(row["unit_qty"]) > 0 and int(row["revision"]) > 0, row
        assert row["source"], row
        if row["valid_from"] != "-infinity":
            assert datetime.fromisoformat(row["valid_from"]).tzinfo is not None, row


def test_a_correction_has_the_key_of_the_row_it_corrects():
    keys = {key(row) for row in ROWS}
    later = [key(row) for row in ROWS if row["revision"] != "1"]
    assert later and all((*found[:-1], str(int(found[-1]) - 1)) in keys for found in later)


def test_every_alias_leads_to_a_model_of_the_list():
    models = {row["model"] for row in ROWS}
    assert {row["model"] for row in ALIASES} <= models
    own_names = {row["pattern"]: row["model"] for row in ALIASES if row["kind"] == "exact" and row["pattern"] in models}
    assert [name for name, model in own_names.items() if name != model] == []


def test_no_price_is_far_from_the_others_of_its_model():
    """A slip of the decimal point, or dollars per thousand where a million is meant."""
    beside, tiers = defaultdict(dict), defaultdict(list)
    for row in ROWS:
        if row["dimension"] not in ("regional_processing", "completion_window"):
            one = Decimal(row["unit_price"]) / int(row["unit_qty"])
            tiers[row["model"], row["dimension"], row["qualifier"]].append(one)
            place = row["model"], row["service_tier"], row["context_min_tokens"], row["valid_from"]
            beside[place][row["dimension"]] = one
    for place, prices in tiers.items():
        assert max(prices) <= 50 * min(prices), place  # Ultrafast costs 24 times what Flex does
    cached = 0
    for place, found in beside.items():
        for kind in {"text", "audio", "image"} & {name.removeprefix("cached_") for name in found}:
            read = found.get(f"input_{kind}", found[f"cached_{kind}"])
            assert read / 100 <= found[f"cached_{kind}"] <= read, place
            cached += 1
        if "cache_write" in found:
            assert found["input_text"] <= found["cache_write"] <= 2 * found["input_text"], place
        if found.get("output_text") and "input_text" in found:
            assert found["input_text"] / 2 <= found["output_text"] <= 20 * found["input_text"], place
    assert cached > 100


def test_every_cache_write_has_a_12_hour_price_of_two_and_a_half_times_input():
    found = {key(row)[:-1]: Decimal(row["unit_price"]) for row in ROWS}
    writes = [place for place in found if place[1] == "cache_write"]
    assert writes
    for model, _, *rest in writes:
        times = 1 if model.endswith("-decisions") else Decimal("2.5")  # decisions price all input alike
        assert found[model, "cache_write_12h", *rest] == found[model, "input_text", *rest] * times, model


def test_tokens_of_every_model_cost_more_in_a_region_or_have_a_row_that_says_no():
    with_tokens = {row["model"] for row in ROWS if row["dimension"] in TOKENS}
    uplift = {(row["model"], row["qualifier"]): row for row in ROWS if row["dimension"] == "regional_processing"}
    exempt = {model for model, qualifier in uplift if not qualifier}
    assert exempt == with_tokens - REGIONS_COST_MORE and with_tokens > REGIONS_COST_MORE
    assert {uplift[model, ""]["unit_price"] for model in exempt} == {"0"}
    government = {model for model, qualifier in uplift if qualifier == "gov" and model != "*tokens"}
    assert government < exempt
    assert {uplift[model, "gov"]["unit_price"] for model in government} == {"0.1"}


def test_all_names_of_an_exempt_model_are_older_than_the_rule():
    exempt = {row["model"] for row in ROWS if (row["dimension"], row["qualifier"]) == ("regional_processing", "")}
    dated = defaultdict(list)
    for row in ALIASES:
        dated[row["model"]] += re.findall(r"20\d\d-\d\d-\d\d", row["pattern"])
    assert {model for model in exempt if max(dated[model], default="") >= "2026-03-05"} == set()


@pytest.mark.parametrize(
    ("name", "model"),
    [("gpt-realtime-2.1-mini", "gpt-realtime-2.1-mini"), ("gpt-realtime-mini-2025-12-15", "gpt-realtime-mini"),
     ("gpt-realtime-2.1", "gpt-realtime-2"), ("gpt-realtime-1.5", "gpt-realtime"), ("gpt-audio-1.5", "gpt-audio"),
     ("gpt-6.2-sol-2026-11-17", "gpt-6.2-sol"), ("gpt-6.2-astra", "gpt-6.2-astra"), ("gpt-6.2-astra-law", None),
     ("gpt-6-astra-law", None), ("gpt-6.2-sol-mini", None), ("gpt-live-1.1", "gpt-live-1.1")],
)  # fmt: skip
def test_names_lead_to_the_price_model_with_their_prices(db, name, model):
    row = db.execute("select model from app.price_model_of(null, %s, '2026-12-01Z')", [name]).fetchone()
    assert row["model"] == model


@pytest.mark.parametrize(("tier", "times"), [("batch", "0.5"), ("priority", "2"), ("ultrafast", "3")])
def test_tiers_of_gpt_6_2_sol_are_multiples_of_standard(tier, times):
    standard = prices_of("gpt-6.2-sol", "standard")
    found = {place: cost for place, cost in prices_of("gpt-6.2-sol", tier).items() if place[2] == SOL_62}
    assert found == {place: cost * Decimal(times) for place, cost in standard.items()}
    assert len(standard) == 10


@pytest.mark.parametrize("model", ["gpt-6.2-sol", "gpt-6.2-astra", "gpt-6-luna-decisions"])
def test_long_contexts_cost_twice_the_input_and_one_and_a_half_times_the_output(model):
    found = prices_of(model, "standard")
    for (dimension, band, begins), cost in found.items():
        if band == "0":
            factor = Decimal("1.5") if dimension == "output_text" else 2
            assert found[dimension, "272000", begins] == cost * factor, dimension


@pytest.mark.parametrize(
    ("at", "cost"),
    [("2026-11-17T00:00:00Z", "0.0105"), ("2027-03-01T07:59:59Z", "0.0105"), ("2027-03-01T08:00:00Z", "0.021")],
)
def test_ultrafast_of_gpt_6_2_sol_doubles_at_midnight_pacific_time(db, at, cost):
    got = price(db, "gpt-6.2-sol", responses(1000, 150), endpoint=RESPONSES, tier="ultrafast", at=at)
    assert (got.cost, got.status) == (Decimal(cost), "priced")


@pytest.mark.parametrize(
    ("model", "usage", "endpoint", "released", "cost"),
    [
        ("gpt-6.2-sol", responses(1000, 100), RESPONSES, SOL_62, "0.003"),
        ("gpt-6.2-astra", responses(1000, 100), RESPONSES, SOL_62, "0.012"),
        ("gpt-image-2.6-sunburst", responses(1000, 100), "/v1/images/generations", IMAGE_26, "0.008"),
        ("gpt-image-2.6-flare", responses(1000, 100), "/v1/images/generations", IMAGE_26, "0.008"),
        ("gpt-live-1.1", {"seconds": 90}, LIVE, LIVE_11, "0.075"),
        ("gpt-6-luna-decisions", responses(2000, 300), RESPONSES, "2026-10-06T00:00:00Z", "0.0002"),
    ],
)
def test_a_model_has_prices_from_its_release_and_none_before(db, model, usage, endpoint, released, cost):
    got = price(db, model, usage, endpoint=endpoint, at=released)
    assert (got.cost, got.status) == (Decimal(cost), "priced")
    before = db.execute("select %s::timestamptz - interval '1 second' as at", [released]).fetchone()["at"]
    early = price(db, model, usage, endpoint=endpoint, at=before)
    assert (early.cost, early.status) == (None, "unpriced_model")


def test_one_web_search_of_a_mini_bills_its_block_of_input_tokens(db):
    tools = {"web_search_calls": 1}
    got = price(db, "gpt-4.1-mini-2025-04-14", responses(328, 356), tools, endpoint=RESPONSES)
    assert (got.cost, got.status) == (Decimal("0.0139008"), "priced")
    assert bill(db, "gpt-4o-mini", {"web_search_calls": 1}) == Decimal("0.0112")
    assert bill(db, "gpt-4.1", {"web_search_calls": 1}) == Decimal("0.01")


@pytest.mark.parametrize(
    ("model", "quantities", "cost"),
    [
        ("gpt-6.1-terra", {"input_text": 30_000, "cached_text": 20_000, "cache_write_12h": 50_000, "output_text": 1000},
         "0.161"),
        ("gpt-6.1-sol", {"input_text": 50_000, "cached_text": 100_000, "cache_write_12h": 150_000, "output_text": 2000},
         "1.75"),
        ("gpt-6.1-sol", {"input_text": 1000, "output_text": 100, "container_sessions:4g": 1}, "0.123"),
        ("gpt-6.1-sol", {"container_sessions": 1, "container_sessions:16g": 1, "container_sessions:64g": 1}, "2.43"),
        ("gpt-5-search-api", {"input_text": 1000, "output_text": 100, "web_search_calls": 1}, "0.01225"),
        ("gpt-5.6-cyber", {"web_search_calls": 3}, "0.03"),
        ("gpt-live-1", {"audio_seconds": 90}, "0.075"),
        ("gpt-live-1", {"standby_seconds": 90}, "0.03"),
        ("gpt-live-1.1", {"audio_seconds": 60, "standby_seconds": 30}, "0.06"),
        ("gpt-image-2.6-flare", {"input_text": 1000, "cached_text": 1000, "input_image": 1000, "cached_image": 1000,
                                 "output_image": 1000}, "0.04625"),
        ("gpt-6.2-sol", {"input_text": 100_000, "cache_write": 1000, "cache_write_12h": 200_000, "output_text": 1000},
         "2.42"),
        ("gpt-6-luna-decisions", {"input_text": 1000, "cached_text": 1000, "cache_write": 1000, "output_text": 9000},
         "0.0003"),
    ],
)  # fmt: skip
def test_quantities_cost_what_openai_bills(db, model, quantities, cost):
    assert bill(db, model, quantities, at="2026-12-01T00:00:00Z") == Decimal(cost)
