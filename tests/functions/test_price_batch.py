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
    """The usage of a batch of which the output file has been read."""
    long = [r for r in requests if r["input_tokens"] > over]
    short = together([r for r in requests if r["input_tokens"] <= over])
    return together(requests) | {"by_length": {"over": over, "short": short, "long": long}}


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


ONE, OTHER = request(300_000, 10, 5), request(10, 0, 5)
WHOLE = together([ONE, OTHER])
GOOD = {"over": 128_000, "short": OTHER, "long": [ONE]}


@pytest.mark.parametrize("requests", [
    None, {}, [], "x", {"over": 128_000}, {"short": OTHER, "long": [ONE]}, GOOD | {"over": "128000"},
    GOOD | {"over": 272_001},  # requests of up to so many tokens may be long
    GOOD | {"short": None}, GOOD | {"short": ONE}, GOOD | {"short": "x"}, GOOD | {"long": {}}, GOOD | {"long": []},
    GOOD | {"long": [ONE, ONE]}, GOOD | {"long": [request(300_001, 10, 5)]},
    GOOD | {"long": [{}]}, GOOD | {"long": ["x"]}, GOOD | {"long": [None]},
])  # fmt: skip
def test_what_is_not_the_whole_leaves_a_bound(db: Any, requests: Any) -> None:
    assert price(db, WHOLE | {"by_length": GOOD})["cost"] is not None
    got = price(db, WHOLE | {"by_length": requests})
    assert (got["cost"], got["cost_status"]) == (None, "no_usage")
    assert (
        sum(Decimal(str(line["at_least"])) for line in got["cost_lines"])
        == (300_000 * Decimal("1.25") + 10 * Decimal("0.13") + 10 * Decimal("7.5")) / 1_000_000
    )


def test_what_only_the_file_tells_of_tokens_counts(db: Any) -> None:
    """The sum of a batch has fewer details than the usage of its requests."""
    written = ONE | {"input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 1000}}
    query = PRICE.replace("gpt-5.4", "gpt-6.1-sol")
    usage = WHOLE | {"by_length": GOOD | {"long": [written]}}
    got = db.execute(query, ["/v1/batches", json.dumps(usage)]).fetchone()
    alone = [db.execute(query, ["/v1/responses", json.dumps(each)]).fetchone()["cost"] for each in (written, OTHER)]
    assert got["cost"] == sum(alone)
    assert {line["dimension"] for line in got["cost_lines"]} == {
        "input_text",
        "cached_text",
        "cache_write",
        "output_text",
    }


def test_a_count_that_nobody_knows_in_one_request_leaves_the_batch_without_a_cost(db: Any) -> None:
    got = price(db, WHOLE | {"by_length": GOOD | {"long": [ONE | {"video_tokens": 7}]}})
    assert (got["cost"], got["cost_status"]) == (None, "unpriced_dimension")


def test_only_batches_have_requests(db: Any) -> None:
    got = price(db, WHOLE | {"by_length": GOOD}, "/v1/responses")
    assert got["cost"] == price(db, WHOLE, "/v1/responses")["cost"]


def test_people_may_run_it(db: Any) -> None:
    assert executors(db, "price_batch") == {"authenticated"}
