"""Costs of whole calls, worked out by hand from the published prices."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pricing import CHAT, add_price, chat, price, usd
from psycopg.errors import InsufficientPrivilege

IMAGES, SPEECH, TRANSCRIPTIONS = "/v1/images/generations", "/v1/audio/speech", "/v1/audio/transcriptions"
RESPONSES, EMBEDDINGS, MODERATIONS = "/v1/responses", "/v1/embeddings", "/v1/moderations"


@pytest.mark.parametrize(
    ("model", "usage", "billed"),
    [
        ("gpt-5-mini-2025-08-07", chat(80_992, 274_770), "0.569788"),
        ("gpt-5-mini-2025-08-07", chat(124_784, 154_852), "0.3409"),
        ("gpt-5-mini-2025-08-07", chat(22_688, 33_191), "0.072054"),
        ("tts-1", {"characters": 4095}, "0.061425"),
        ("gpt-4o-mini-tts", {"input_tokens": 1754, "output_tokens": 10_785, "total_tokens": 12_539}, "0.1304724"),
    ],
)
def test_openai_s_real_bills_are_met_to_the_last_digit(db, model, usage, billed):
    endpoint = SPEECH if "tts" in model else CHAT
    got = price(db, model, usage, endpoint=endpoint)
    assert (got.cost, got.status) == (Decimal(billed), "priced")


# endpoint, served, requested, usage, tools, [(quantity, price, per)], status
CASES = {
    "chat": (CHAT, "gpt-4o-2024-08-06", "gpt-4o", chat(1000, 200), None, [(1000, "2.5"), (200, 10)]),
    "chat, half of it cached": (
        CHAT, "gpt-4o-2024-08-06", None, chat(1000, 200, prompt={"cached_tokens": 500}), None,
        [(500, "2.5"), (500, "1.25"), (200, 10)],
    ),
    "reasoning is inside the output": (
        CHAT, "o3-2025-04-16", None, chat(10, 900, completion={"reasoning_tokens": 800}), None, [(10, 2), (900, 8)],
    ),
    "rejected predictions are inside the output": (
        CHAT, "gpt-4o", None,
        chat(10, 90, completion={"accepted_prediction_tokens": 20, "rejected_prediction_tokens": 40}), None,
        [(10, "2.5"), (90, 10)],
    ),
    "audio in and out": (
        CHAT, "gpt-audio", None, chat(100, 60, prompt={"audio_tokens": 70}, completion={"audio_tokens": 50}), None,
        [(30, "2.5"), (70, 32), (10, 10), (50, 64)],
    ),
    "legacy completion": (
        "/v1/completions", "gpt-3.5-turbo-instruct", None, chat(5, 7), None, [(5, "1.5"), (7, 2)],
    ),
    "response with a cache write": (
        RESPONSES, "gpt-6-sol", None,
        {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 300},
         "output_tokens": 50, "output_tokens_details": {"reasoning_tokens": 10}, "total_tokens": 1050},
        None, [(100, 2), (600, "0.2"), (300, "2.5"), (50, 10)],
    ),
    "response without details": (
        RESPONSES, "gpt-5.4-2026-03-05", None, {"input_tokens": 36, "output_tokens": 87}, None,
        [(36, "2.5"), (87, 15)],
    ),
    "response with tools": (
        RESPONSES, "gpt-4.1", None, {"input_tokens": 100, "output_tokens": 10},
        {"web_search_preview_calls": 2, "file_search_calls": 3, "container_sessions": 1},
        [(100, 2), (10, 8), (2, 25, 1000), (3, "2.5", 1000), (1, "0.03", 1)],
    ),
    "embedding": (
        EMBEDDINGS, "text-embedding-3-small", None, {"prompt_tokens": 8, "total_tokens": 8}, None, [(8, "0.02")],
    ),
    "image: all output is image tokens when nothing says otherwise": (
        IMAGES, None, "gpt-image-1.5",
        {"input_tokens": 50, "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}, "output_tokens": 1000},
        None, [(10, 5), (40, 8), (1000, 32)],
    ),
    "image: output details": (
        "/v1/images/edits", None, "gpt-image-1.5",
        {"input_tokens": 10, "output_tokens": 1000, "output_tokens_details": {"image_tokens": 900, "text_tokens": 100}},
        None, [(10, 5), (900, 32), (100, 10)],
    ),
    "transcription by tokens": (
        TRANSCRIPTIONS, None, "gpt-4o-transcribe",
        {"type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
         "output_tokens": 101, "total_tokens": 115},
        None, [(4, "2.5"), (10, "2.5"), (101, 10)],
    ),
    "transcription by seconds": (
        TRANSCRIPTIONS, None, "whisper-1", {"type": "duration", "seconds": 9}, None, [(9, "0.36", 3600)],
    ),
    "video": ("/v1/videos", "sora-2", None, {"size": "1280x720"}, {"video_seconds": "8"}, [(8, "0.1", 1)]),
    "large video": (
        "/v1/videos", "sora-2-pro", None, {"size": "1792x1024"}, {"video_seconds": 8}, [(8, "0.5", 1)],
    ),
    "numbers written as strings": (CHAT, "gpt-4o", None, chat("1000", "2e2"), None, [(1000, "2.5"), (200, 10)]),
    "details that are null": (
        CHAT, "gpt-4o", None, chat(10, 5, prompt=None, completion=None), None, [(10, "2.5"), (5, 10)],
    ),
    "a call that used nothing": (CHAT, "gpt-4o", None, chat(0, 0), None, []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_endpoint_family_costs_what_the_price_list_says(db, name):
    endpoint, served, requested, usage, tools, parts = CASES[name]
    got = price(db, served, usage, tools, endpoint=endpoint, requested=requested)
    assert (got.cost, got.status) == (usd(*parts), "priced")
    assert len(got.lines) == len(parts)


def test_a_gigantic_amount_is_exact_too(db):
    got = price(db, "gpt-5-nano", chat(987_654_321_987, 123_456_789_123, prompt={"cached_tokens": 7}))
    assert got.cost == usd((987_654_321_980, "0.05"), (7, "0.005"), (123_456_789_123, "0.4"))


def test_one_cached_token_in_batch_is_not_rounded_away(db):
    got = price(db, "gpt-5-nano", chat(1, 0, prompt={"cached_tokens": 1}), batch=True)
    assert got.cost == Decimal("0.0000000025")


@pytest.mark.parametrize(
    ("tier", "batch", "rate_in", "rate_out", "status"),
    [
        (None, False, "0.25", "2", "priced"),
        ("default", False, "0.25", "2", "priced"),
        ("flex", False, "0.125", "1", "priced"),
        ("priority", False, "0.45", "3.6", "priced"),
        ("fast", False, "0.45", "3.6", "priced"),
        ("scale", False, "0.25", "2", "priced"),
        ("default", True, "0.125", "1", "priced"),
        ("ultrafast", False, "0.25", "2", "tier_fallback"),
    ],
)
def test_the_served_tier_and_the_batch_flag_choose_the_rate(db, tier, batch, rate_in, rate_out, status):
    got = price(db, "gpt-5-mini", chat(1000, 100), tier=tier, batch=batch)
    assert (got.cost, got.status) == (usd((1000, rate_in), (100, rate_out)), status)


def test_what_is_not_a_token_has_no_tier(db):
    got = price(db, "gpt-4o", chat(1000, 0), {"web_search_calls": 1}, tier="priority")
    assert (got.cost, got.status) == (usd((1000, "4.25"), (1, 10, 1000)), "priced")
    seconds = price(db, "whisper-1", {"type": "duration", "seconds": 60}, endpoint=TRANSCRIPTIONS, batch=True)
    assert (seconds.cost, seconds.status) == (Decimal("0.006"), "priced")


def test_a_tier_without_a_cached_price_bills_cached_tokens_as_its_own_input(db):
    got = price(db, "gpt-4o", chat(1000, 0, prompt={"cached_tokens": 400}), batch=True)
    assert (got.cost, got.status) == (usd((600, "1.25"), (400, "1.25")), "priced")
    assert got.line("cached_text")["priced_as"] == "input_text"


@pytest.mark.parametrize(("tokens", "rate_in", "rate_out"), [(272_000, "2.5", "15"), (272_001, "5", "22.5")])
def test_a_long_context_costs_more_from_the_first_token_above_272_000(db, tokens, rate_in, rate_out):
    got = price(db, "gpt-5.4", chat(tokens, 10))
    assert got.cost == usd((tokens, rate_in), (10, rate_out))
    cached = price(db, "gpt-5.4", chat(tokens, 10, prompt={"cached_tokens": 271_000}))
    assert cached.line("output_text")["unit_price"] == Decimal(rate_out), "cached tokens count towards the length"


def test_long_context_in_a_tier_without_such_a_price_is_billed_flat(db):
    assert price(db, "gpt-5.4", chat(300_000, 0), tier="priority").cost == usd((300_000, 5))


def test_the_image_tool_of_a_response_is_a_second_meter(db):
    usage = {
        "input_tokens": 10, "output_tokens": 5, "image_model": "gpt-image-1.5",
        "tool_usage": {"image_gen": {"input_tokens": 100, "output_tokens": 1000}, "web_search": {"num_requests": 0}},
    }  # fmt: skip
    got = price(db, "gpt-5.4", usage, endpoint=RESPONSES)
    assert got.cost == usd((10, "2.5"), (5, 15), (100, 5), (1000, 32))
    assert {line["model"] for line in got.lines} == {"gpt-5.4", "gpt-image-1.5"}
    inside = usage | {"image_model": None, "tool_usage": usage["tool_usage"] | {"image_model": "gpt-image-1.5"}}
    assert price(db, "gpt-5.4", inside, endpoint=RESPONSES).cost == got.cost
    unknown = price(db, "gpt-5.4", usage | {"image_model": "gpt-image-99"}, endpoint=RESPONSES)
    assert (unknown.cost, unknown.status) == (None, "unpriced_model")
    uncounted = price(db, "gpt-5.4", usage | {"tool_usage": {"image_gen": None, "image_model": "gpt-image-1"}})
    assert (uncounted.cost, uncounted.status) == (None, "no_usage")
    idle = price(
        db,
        "gpt-5.4",
        usage | {"image_model": None, "tool_usage": {"image_gen": {"input_tokens": 0, "output_tokens": 0}}},
    )
    assert (idle.cost, idle.status) == (usd((10, "2.5"), (5, 15)), "priced")


def test_a_tier_the_image_model_lacks_is_said(db):
    usage = {"input_tokens": 1, "output_tokens": 1, "image_model": "gpt-image-1",
             "tool_usage": {"image_gen": {"input_tokens": 1, "output_tokens": 1}}}  # fmt: skip
    assert price(db, "gpt-5.4", usage, tier="flex").status == "tier_fallback"


@pytest.mark.parametrize(
    ("served", "requested", "rate"),
    [
        ("gpt-4o-2024-05-13", "gpt-4o", "5"),  # a date is never cut off
        ("gpt-4o-2024-08-06", None, "2.5"),
        (" OpenAI/GPT-4o ", None, "2.5"),
        ("gpt-5.2-20251211", None, "1.75"),
        ("gpt-6-sol-2026-12-24", None, None),
        ("gpt-4o-2031-01-01", "gpt-4o", "2.5"),  # served name unknown, requested one known
        ("ft:gpt-4o-2024-08-06:acme:bot:abc", None, "3.75"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc:ckpt-step-7", None, "0.3"),
        ("ft:gpt-4-0613:acme::abc", None, "30"),
    ],
)
def test_names_find_their_price(db, served, requested, rate):
    got = price(db, served, chat(1000, 0), requested=requested)
    assert got.status == "priced"
    if rate:
        assert got.cost == usd((1000, rate))
    if requested == "gpt-4o" and rate == "2.5":
        assert got.lines[0]["match"] == "requested"


@pytest.mark.parametrize(
    ("served", "requested"),
    [
        ("gpt-9", None), ("gpt-4o-2031-01-01", None), ("", ""), (None, None), ("acme-gpt-4o", "acme-gpt-4o"),
        ("ft:gpt-5:acme::x", "gpt-5"), ("ft:gpt-5:acme:moderation:x", None), ("gpt-4o' or 1=1 --", None), (".*", "%"),
        ("g" * 1_000_000, None),
    ],
)  # fmt: skip
def test_a_model_nobody_knows_has_no_cost(db, served, requested):
    got = price(db, served, chat(1000, 5), requested=requested)
    assert (got.cost, got.status) == (None, "unpriced_model")
    assert got.quantities == {"input_text": 1000, "output_text": 5}
    assert [line["cost"] for line in got.lines] == [None, None]


def test_a_known_model_without_a_price_for_something_has_no_cost(db):
    got = price(db, "gpt-4o", chat(1000, 5), {"computer_calls": 1})
    assert (got.cost, got.status) == (None, "unpriced_dimension")
    assert {line["cost"] for line in got.lines} == {None}, "a part of an unknown sum is no sum"
    assert price(db, "gpt-4o", {"characters": 12}, endpoint=SPEECH).status == "unpriced_dimension"
    assert price(db, "gpt-4o", chat(1, 1), {"container_sessions:2g": 1}).status == "unpriced_dimension"
    assert price(db, "sora-2", {"size": "4096x4096"}, {"video_seconds": 8}).status == "unpriced_dimension"
    assert price(db, "dall-e-3", {"images": 1}, endpoint=IMAGES).status == "unpriced_model"


@pytest.mark.parametrize(
    "usage",
    [
        None, {}, [], "x", 7, True, {"prompt_tokens": None}, {"total_tokens": 9}, {"completion_tokens": 5},
        chat(-1, 5), chat(5, -1), chat("NaN", 1), chat("Infinity", 1), chat("1_000", 1), chat("0x10", 1), chat(True, 1),
        chat({}, 1), chat([1], 1), chat(10**18, 1), chat(1, 10**18), chat("1e999", 1), chat("", 1), chat(" 5", 1),
        chat(5, 5, prompt={"cached_tokens": -1}), chat(5, 5, prompt={"cached_tokens": "many"}), chat(5, 5, prompt=[]),
        chat(5, 5, prompt="x"), chat(5, 5, completion=3), chat(5, 5, completion={"audio_tokens": 10**13}),
        chat(5, 5, prompt={"cached_tokens": 1, "cached_tokens_details": 5}),
        chat(5, 5) | {"tool_usage": "x"}, chat(5, 5) | {"tool_usage": {"image_gen": 4}},
        {"type": "duration"}, {"type": "duration", "seconds": "long"}, {"type": "tokens", "seconds": 5},
        chat(10**12, 10**12),  # each a count, together more than a call can cost
    ],
)  # fmt: skip
def test_usage_that_cannot_be_true_is_no_usage(db, usage):
    got = price(db, "gpt-5.5-pro", usage)
    assert (got.cost, got.status, got.lines) == (None, "no_usage", [])


@pytest.mark.parametrize("tools", [[], "x", {"web_search_calls": -1}, {"web_search_calls": "NaN"}, {"Web": 1},
                                   {"input_text": 5}, {"a" * n: 1 for n in range(1, 40)}])  # fmt: skip
def test_tools_that_cannot_be_true_are_no_usage(db, tools):
    assert price(db, "gpt-4o", chat(5, 5), tools).status == "no_usage"


def test_tools_alone_are_priced(db):
    assert price(db, "gpt-4o", None, {"file_search_calls": 4}).cost == Decimal("0.01")
    container = price(db, None, None, {"container_sessions": 1}, endpoint="/v1/containers")
    assert (container.cost, container.status) == (Decimal("0.03"), "priced")
    assert price(db, "gpt-9", None, {"container_sessions": 1}).status == "unpriced_model"


@pytest.mark.parametrize("usage", [None, chat(10, 10), "garbage"])
def test_moderations_are_free(db, usage):
    got = price(db, "omni-moderation-latest", usage, endpoint=MODERATIONS)
    assert (got.cost, got.status) == (0, "free")


def test_a_model_with_a_price_of_zero_per_request_is_free(db):
    add_price(db, "house-model", "requests", "0", unit_qty=1)
    assert price(db, "house-model", chat(10, 10)).status == "free"
    assert price(db, "house-model", None).status == "free"


def test_a_stranger_s_model_with_moderation_in_its_name_is_not_free(db):
    for served, requested in (("acme-moderation", None), (None, "acme-moderation")):
        got = price(db, served, chat(10, 10), requested=requested)
        assert (got.cost, got.status) == (None, "unpriced_dimension")


@pytest.mark.parametrize(
    ("at", "rate"),
    [("2026-08-20T23:59:59Z", "5"), ("2026-08-21T00:00:00Z", "4"), ("2026-08-21T00:00:01Z", "4"),
     ("2026-08-21T01:59:59+02:00", "5")],
)  # fmt: skip
def test_a_price_changes_at_midnight_utc(db, at, rate):
    assert price(db, "gpt-5.6-sol", chat(1000, 0), at=at).cost == usd((1000, rate))


def test_a_tier_that_came_later_falls_back_before(db):
    before = price(db, "gpt-5.6-sol", chat(1000, 0), tier="flex", at="2026-08-20T23:59:59Z")
    assert (before.cost, before.status) == (usd((1000, 5)), "tier_fallback")


def test_a_higher_revision_corrects_a_price(db):
    add_price(db, "gpt-4o", "input_text", "7", valid_from="2026-10-01T00:00:00Z")
    assert price(db, "gpt-4o", chat(1000, 0)).cost == usd((1000, 7))
    right = add_price(db, "gpt-4o", "input_text", "3", valid_from="2026-10-01T00:00:00Z", revision=2)
    got = price(db, "gpt-4o", chat(1000, 0))
    assert (got.cost, got.lines[0]["price_id"]) == (usd((1000, 3)), right)
    assert price(db, "gpt-4o", chat(1000, 0), at="2026-09-30T23:59:59Z").cost == usd((1000, "2.5"))


def test_an_organization_s_price_goes_before_the_list_and_is_nobody_else_s(db, people):
    acme, evil = people.orgs["ada"], people.orgs["eve"]
    add_price(db, "gpt-5.4", "input_text", "1", org_id=acme)
    assert price(db, "gpt-5.4", chat(1000, 0), org=acme).cost == usd((1000, 1))
    assert price(db, "gpt-5.4", chat(300_000, 0), org=acme).cost == usd((300_000, 1)), (
        "also before the list's long-context price"
    )
    assert price(db, "gpt-5.4", chat(1000, 0), org=evil).cost == usd((1000, "2.5"))
    assert price(db, "gpt-5.4", chat(1000, 0)).cost == usd((1000, "2.5"))
    with people.as_("dev"):
        assert price(db, "gpt-5.4", chat(1000, 0), org=acme).cost == usd((1000, 1))
    with people.as_("eve"):
        spied = price(db, "gpt-5.4", chat(1000, 0), org=acme)
        assert spied.cost == usd((1000, "2.5")), "asking for another organization's price gives the list"


def test_an_image_s_size_and_quality_choose_the_price(db):
    add_price(db, "dall-e-3", "images", "0.04", unit_qty=1)
    add_price(db, "dall-e-3", "images", "0.08", unit_qty=1, qualifier="1024x1024+hd")
    ask = {"images": 2, "size": "1024x1024", "quality": "hd"}
    assert price(db, None, ask, endpoint=IMAGES, requested="dall-e-3").cost == Decimal("0.16")
    assert price(db, None, ask | {"quality": "standard"}, endpoint=IMAGES, requested="dall-e-3").cost == Decimal("0.08")


def test_a_line_names_the_price_row_it_used(db):
    got = price(db, "gpt-4o", chat(1000, 0), tier="priority")
    (line,) = got.lines
    row = db.execute(
        "select id, model, dimension, service_tier, unit_price from model_prices where id = %s", [line["price_id"]]
    ).fetchone()
    assert (row["model"], row["dimension"], row["service_tier"]) == ("gpt-4o", "input_text", "priority")
    assert line == {
        "dimension": "input_text", "quantity": 1000, "unit_price": row["unit_price"], "unit_qty": 1_000_000,
        "cost": got.cost, "price_id": row["id"], "model": "gpt-4o", "tier": "priority",
    }  # fmt: skip


def test_anyone_signed_in_may_ask_and_nobody_else(db, people):
    with people.as_("dev"):
        assert price(db, "gpt-4o", chat(1000, 0)).status == "priced"
    for role in ("anon", "service_role", "spendai_proxy", "spendai_analyst"):
        with pytest.raises(InsufficientPrivilege), people.as_role(role):
            price(db, "gpt-4o", chat(1000, 0))
