"""What holds for every call app.price_usage is asked about, sensible or not."""

from __future__ import annotations

import json
from decimal import Decimal

from checks import examples
from hypothesis import example, given
from hypothesis import strategies as st
from pricing import MILLION, chat, price

_NAMES = """
    prompt_tokens completion_tokens input_tokens output_tokens total_tokens prompt_tokens_details
    completion_tokens_details input_tokens_details input_token_details output_tokens_details cached_tokens
    cached_tokens_details cache_write_tokens audio_tokens image_tokens text_tokens type seconds characters
    images size quality tool_usage image_gen image_model web_search_calls video_seconds container_sessions
    requests container_sessions:4g
"""
KEYS = _NAMES.split()
IN_DETAILS = ["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "text_tokens"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
NUMBERS = st.one_of(
    st.integers(-5, 10**7),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["7", "1e3", "-1", "NaN", "Infinity", "0x1", "1_0", "9" * 70, "gpt-image-1", "duration", "tokens", "1024x1024"]
    ),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.sampled_from(KEYS), TEXT), inner, max_size=8)
    ),
    max_leaves=20,
)
USAGES = st.one_of(JSON, st.dictionaries(st.sampled_from(KEYS), st.one_of(NUMBERS, JSON), max_size=8))
MODELS = st.one_of(
    st.none(),
    TEXT,
    st.sampled_from(["gpt-4o", "gpt-5.4", "tts-1", "gpt-image-1.5", "whisper-1", "moderation", "(", "^$", "%", "\\"]),
)
ENDPOINTS = st.one_of(
    st.none(),
    TEXT,
    st.sampled_from(["/v1/chat/completions", "/v1/images/edits", "/v1/audio/speech", "/v1/moderations"]),
)
STATUSES = {"priced", "free", "tier_fallback", "unpriced_model", "unpriced_dimension", "no_usage"}
ANY_DB = examples(150)
TOKENS = st.integers(0, 300_000)


@ANY_DB
@given(
    model=MODELS,
    requested=MODELS,
    endpoint=ENDPOINTS,
    tier=MODELS,
    batch=st.sampled_from([None, True, False]),
    usage=USAGES,
    tools=st.one_of(st.none(), USAGES),
    at=st.sampled_from([None, "-infinity", "infinity", "2026-11-01T00:00:00Z"]),
)
@example("gpt-4o", None, "/v1/chat/completions", None, False, {"prompt_tokens": 1, "x": "y" * 1_000_000}, None, None)
@example(
    "x" * 1_000_000,
    "y" * 1_000_000,
    "z" * 1_000_000,
    "t" * 1_000_000,
    True,
    {"prompt_tokens": 1},
    {"a" * 1_000_000: 1},
    None,
)
def test_whatever_is_asked_gets_an_answer_whose_lines_sum_to_its_cost(
    db, model, requested, endpoint, tier, batch, usage, tools, at
):
    got = price(db, model, usage, tools, requested=requested, endpoint=endpoint, tier=tier, batch=batch, at=at)
    assert got.status in STATUSES
    assert (got.cost is not None) == (got.status in ("priced", "free", "tier_fallback"))
    if got.cost is None:
        assert all(line["cost"] is None for line in got.lines)
        return
    assert got.cost == sum((line["cost"] for line in got.lines), Decimal(0))
    assert 0 <= got.cost < 10**8
    assert got.cost == round(got.cost, 12)
    assert all(line["quantity"] > 0 and line["price_id"] for line in got.lines)
    if got.status == "free":
        assert (endpoint or "").endswith("/moderations") or "moderation" in (model, requested)


def split_usage(text, cached, write, audio, out, out_audio):
    return chat(
        text + cached + write + audio,
        out + out_audio,
        prompt={"cached_tokens": cached, "cache_write_tokens": write, "audio_tokens": audio},
        completion={"audio_tokens": out_audio, "reasoning_tokens": out // 2},
    )


@ANY_DB
@given(
    parts=st.lists(TOKENS, min_size=6, max_size=6),
    which=st.integers(0, 5),
    more=st.integers(1, 10**6),
    model=st.sampled_from(["gpt-audio", "gpt-5.4", "gpt-5.6-sol", "gpt-4o", "o3"]),
    tier=st.sampled_from(["default", "flex", "priority"]),
    batch=st.booleans(),
)
def test_the_cost_never_falls_when_one_of_the_disjoint_quantities_grows(db, parts, which, more, model, tier, batch):
    grown = [part + more * (i == which) for i, part in enumerate(parts)]
    before, after = (price(db, model, split_usage(*p), tier=tier, batch=batch) for p in (parts, grown))
    assert before.cost is not None
    assert after.cost >= before.cost


@ANY_DB
@given(tokens=st.lists(st.tuples(TOKENS, TOKENS), max_size=5))
def test_a_linear_price_sums_over_calls(db, tokens):
    apart = sum((price(db, "gpt-4o", chat(*pair)).cost for pair in tokens), Decimal(0))
    together = price(db, "gpt-4o", chat(*map(sum, zip(*tokens, strict=True)))).cost if tokens else 0
    assert apart == together


@ANY_DB
@given(prompt=st.dictionaries(st.sampled_from(IN_DETAILS), st.integers(0, 10**9), max_size=6), tokens=TOKENS)
def test_inconsistent_details_never_cost_more_than_the_dearest_rate_of_all_tokens(db, prompt, tokens):
    usage = chat(tokens, 0, prompt=prompt)
    got = price(db, "gpt-realtime", usage)
    assert got.status == "priced"
    assert sum(got.quantities.values()) == tokens
    assert got.cost <= Decimal(tokens) * 32 / MILLION


@ANY_DB
@given(
    name=st.sampled_from([key for key in KEYS if key not in IN_DETAILS and not key.startswith("cached_")]),
    tokens=TOKENS,
    more=st.integers(1, 10**9),
)
def test_a_member_of_the_details_that_nobody_knows_leaves_the_call_without_a_cost(db, name, tokens, more):
    got = price(db, "gpt-realtime", chat(tokens, 0, prompt={name: more}))
    assert (got.status, got.line(f"prompt_tokens_details.{name.replace(':', '')}")["quantity"]) == (
        "unpriced_dimension",
        more,
    )


COUNTS = st.one_of(
    st.none(), st.integers(0, 3), st.sampled_from([100, "100", 50, "1e2", "5.0", -1, 10**30, 1.5, [], {}])
)
SPLIT = st.dictionaries(
    st.sampled_from([*IN_DETAILS, "reasoning_tokens", "cached_tokens_details", "cache_write_tokens_details"]),
    st.one_of(
        COUNTS,
        st.dictionaries(
            st.sampled_from(["ttl_30m_tokens", "ttl_12h_tokens", "text_tokens", "image_tokens", "cached_image_tokens"]),
            COUNTS,
        ),
    ),
    max_size=4,
)
FAMILIES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(KEYS[:5], COUNTS)
    | {"cached_tokens": COUNTS}
    | {name: st.one_of(st.none(), SPLIT) for name in KEYS if name.endswith("_details") and "cached" not in name},
)


@examples(300)
@given(usage=FAMILIES, endpoint=st.sampled_from(["/v1/chat/completions", "/v1/responses", "/v1/images/edits"]))
def test_money_and_the_token_columns_count_the_same(db, usage, endpoint):
    got = price(db, "gpt-realtime", usage, endpoint=endpoint)
    columns = db.execute("select * from app.tokens_of(%s::jsonb)", [json.dumps(usage)]).fetchone()
    if got.status == "priced":
        assert sum(got.quantities.values()) == columns["tokens_in"] + (columns["tokens_out"] or 0)


@ANY_DB
@given(usage=st.one_of(USAGES, FAMILIES))
def test_whatever_the_usage_is_its_problems_are_at_most_twenty_sentences(db, usage):
    found = db.execute("select app.usage_problems(%s::jsonb) as found", [json.dumps(usage)]).fetchone()["found"]
    assert len(found) <= 20
    assert all(found)


def test_a_megabyte_of_nested_garbage_gets_an_answer(db):
    deep = {"prompt_tokens_details": json.loads("[" * 900 + "]" * 900)}
    assert price(db, "gpt-4o", chat(1, 1) | deep).status == "no_usage"
    wide = {f"k{i}": {"prompt_tokens": i} for i in range(30_000)}
    assert price(db, "gpt-4o", chat(1, 1) | wide).status == "priced"
