"""app.price_batch: a batch costs what its requests cost one by one, of which only the long ones have to be known."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from checks import examples, executors
from hypothesis import given
from hypothesis import strategies as st

PRICE = """select (app.price_usage(null, %s, 'gpt-5.4', null, null, true, %s::jsonb, null, now())).*"""
REGION = {"region": "eu"}


def request(tokens_in: int, cached: int, out: int) -> dict[str, Any]:
    return {"input_tokens": tokens_in, "input_tokens_details": {"cached_tokens": min(cached, tokens_in)},
            "output_tokens": out, "output_tokens_details": {"reasoning_tokens": out // 2},
            "total_tokens": tokens_in + out}  # fmt: skip


def together(requests: list[dict[str, Any]]) -> dict[str, Any]:
    """The usage of a batch of these requests."""
    one = request(sum(r["input_tokens"] for r in requests), 0, sum(r["output_tokens"] for r in requests))
    cached = sum(r["input_tokens_details"]["cached_tokens"] for r in requests)
    return one | {"input_tokens_details": {"cached_tokens": cached}}


def price(db: Any, usage: dict[str, Any], endpoint: str = "/v1/batches") -> dict[str, Any]:
    return db.execute(PRICE, [endpoint, json.dumps(usage)]).fetchone()


def known(requests: list[dict[str, Any]], over: int = 128_000) -> dict[str, Any]:
    long = [r for r in requests if r["input_tokens"] > over]
    return together(requests) | {"long_requests": {"over": over, "usage": long}}


COUNT = st.sampled_from((0, 1, 127_999, 128_000, 128_001, 271_999, 272_000, 272_001, 999_999)) | st.integers(1, 10**6)


@given(counts=st.lists(st.tuples(COUNT, COUNT, st.integers(0, 10**5)), min_size=1, max_size=8), region=st.booleans())
@examples(60)
def test_it_costs_as_much_as_its_requests_one_by_one(db: Any, counts: list[tuple[int, int, int]], region: bool) -> None:
    requests, where = [request(*each) for each in counts], REGION if region else {}
    got = price(db, known(requests) | where)
    assert got["cost"] == sum(price(db, each | where, "/v1/responses")["cost"] for each in requests)
    assert sum(Decimal(str(line["cost"])) for line in got["cost_lines"]) == got["cost"]
    places = [{k: v for k, v in line.items() if k not in ("quantity", "cost")} for line in got["cost_lines"]]
    assert len(places) == len({json.dumps(place, default=str) for place in places}), "what is priced alike is one line"


def test_lines_tell_short_and_long_contexts_apart(db: Any) -> None:
    got = price(db, known([request(100_000, 0, 10), request(100_000, 0, 10), request(300_000, 0, 20)]))
    assert (got["cost"], got["cost_status"]) == (Decimal("1.000375"), "priced")
    assert [(line["dimension"], line.get("context_min_tokens"), line["quantity"], str(line["cost"]))
            for line in got["cost_lines"]] == [
        ("input_text", None, 200_000, "0.25"), ("output_text", None, 20, "0.00015"),
        ("input_text", 272_000, 300_000, "0.75"), ("output_text", 272_000, 20, "0.000225"),
    ]  # fmt: skip


WHOLE = together([request(300_000, 10, 5), request(10, 0, 5)])


@pytest.mark.parametrize("long", [
    None, {}, {"over": 128_000}, {"usage": []}, {"over": 128_000, "usage": {}}, {"over": "128000", "usage": []},
    {"over": 272_001, "usage": []},  # those of up to so many tokens may be long
    {"over": 128_000, "usage": [request(300_011, 0, 5)]},  # more than the batch has
    {"over": 128_000, "usage": [request(300_000, 11, 5)]},
    {"over": 128_000, "usage": [request(300_000, 0, 11)]},
    {"over": 128_000, "usage": [request(300_000, 0, 5) | {"video_tokens": 7}]},
    {"over": 128_000, "usage": [{}]}, {"over": 128_000, "usage": ["x"]}, {"over": 128_000, "usage": [None]},
])  # fmt: skip
def test_what_does_not_fit_the_whole_leaves_a_bound(db: Any, long: Any) -> None:
    got = price(db, WHOLE | {"long_requests": long})
    assert (got["cost"], got["cost_status"]) == (None, "no_usage")
    assert (
        sum(Decimal(str(line["at_least"])) for line in got["cost_lines"])
        == (300_000 * Decimal("1.25") + 10 * Decimal("0.13") + 10 * Decimal("7.5")) / 1_000_000
    )


def test_only_batches_have_long_requests(db: Any) -> None:
    got = price(db, WHOLE | {"long_requests": {"over": 128_000, "usage": []}}, "/v1/responses")
    assert got["cost"] == price(db, WHOLE, "/v1/responses")["cost"]


def test_people_may_run_it(db: Any) -> None:
    assert executors(db, "price_batch") == {"authenticated"}
