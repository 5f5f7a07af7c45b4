"""app.price_call: a call's status and cost under given terms."""

from __future__ import annotations

import json

import pytest
from checks import executors

SHEET = {"input_text": [{"dimension": "input_text", "unit_price": 1, "unit_qty": 1}],
         "output_text": [{"dimension": "output_text", "unit_price": 1, "unit_qty": 1}],
         "file_search_calls": [{"dimension": "file_search_calls", "unit_price": 1, "unit_qty": 1}],
         "requests": [{"dimension": "requests", "unit_price": 0, "unit_qty": 1}]}  # fmt: skip
USAGE = {"prompt_tokens": 2, "completion_tokens": 3}
CALLS = {"file_search_calls": 4}


@pytest.mark.parametrize(
    ("usage", "tools", "named", "terms", "cost", "status"),
    [
        (USAGE, None, True, {}, 5, "priced"),
        (USAGE, CALLS, True, {}, 9, "priced"),
        (None, CALLS, True, {}, 4, "priced"),
        (None, None, True, {}, None, "no_usage"),
        ({}, {}, True, {}, None, "no_usage"),
        ("x", CALLS, True, {}, None, "no_usage"),
        (USAGE, {"computer_calls": 1}, True, {}, None, "unpriced_dimension"),
        (USAGE, None, True, {"model": None}, None, "unpriced_model"),
        (USAGE, None, False, {"model": None}, None, "unpriced_model"),
        (None, CALLS, True, {"model": None}, None, "unpriced_model"),
        (None, CALLS, False, {"model": None}, 4, "priced"),
        (USAGE, None, True, {"fallback": True}, 5, "tier_fallback"),
        (USAGE, None, True, {"by_request": True}, 0, "free"),
        (None, None, True, {"by_request": True}, 0, "free"),
        ({"prompt_tokens": 99_999_999, "completion_tokens": 0}, None, True, {}, 99_999_999, "priced"),
        ({"prompt_tokens": 99_999_999, "completion_tokens": 1}, None, True, {}, None, "no_usage"),
    ],
)
def test_a_call_has_a_cost_or_a_reason_why_not(db, usage, tools, named, terms, cost, status):
    got = db.execute(
        "select * from app.price_call('/v1/responses', %s::jsonb, %s::jsonb, %s, %s::jsonb)",
        [json.dumps(usage), json.dumps(tools), named, json.dumps({"model": "m", "sheet": SHEET} | terms)],
    ).fetchone()
    assert (got["cost"], got["cost_status"]) == (cost, status)
    assert [line["cost"] for line in got["cost_lines"]] == [None] * len(got["cost_lines"]) or cost is not None


@pytest.mark.parametrize(
    ("usage", "bounds"),
    [
        ({"at_least": True} | USAGE, [2, 3]),
        ({"at_least": True, "characters": 7}, [None]),
        ({"at_least": True}, []),
    ],
)
def test_a_part_of_what_is_billed_is_a_bound_and_no_cost(db, usage, bounds):
    got = db.execute(
        "select * from app.price_call('/v1/responses', %s::jsonb, null, true, %s::jsonb)",
        [json.dumps(usage), json.dumps({"model": "m", "sheet": SHEET})],
    ).fetchone()
    assert (got["cost"], got["cost_status"]) == (None, "no_usage")
    assert [(line["cost"], line["at_least"]) for line in got["cost_lines"]] == [(None, bound) for bound in bounds]


LONG = {"dimension": "input_text", "unit_price": 7, "unit_qty": 1, "context_min_tokens": 100}


@pytest.mark.parametrize(
    ("endpoint", "tokens", "cost", "lines"),
    [
        ("/v1/batches", 100, 103, [(100, None), (3, None)]),
        ("/v1/batches", 101, None, [(None, 101), (None, 3)]),
        ("/v1/responses", 101, 710, [(707, None), (3, None)]),
    ],
)
def test_a_batch_whose_requests_are_together_as_long_as_a_long_context_has_a_bound(db, endpoint, tokens, cost, lines):
    sheet = SHEET | {"input_text": [LONG, *SHEET["input_text"]]}
    got = db.execute(
        "select * from app.price_call(%s, %s::jsonb, null, true, %s::jsonb)",
        [endpoint, json.dumps({"input_tokens": tokens, "output_tokens": 3}),
         json.dumps({"model": "m", "banded": True, "sheet": sheet})],
    ).fetchone()  # fmt: skip
    assert (got["cost"], got["cost_status"]) == (cost, "no_usage" if cost is None else "priced")
    assert [(line["cost"], line.get("at_least")) for line in got["cost_lines"]] == lines


BY_LENGTH = {"by_length": {"over": 99, "short": {"input_tokens": 40, "output_tokens": 3}, "long": []}}


@pytest.mark.parametrize(
    ("usage", "tools", "cost"),
    [({}, None, None), (BY_LENGTH, None, 43), (BY_LENGTH, {"web_search_calls": 2}, 65),
     (BY_LENGTH | {"input_tokens": 41}, {"web_search_calls": 2}, None)],
)  # fmt: skip
def test_a_batch_for_an_endpoint_that_its_sum_does_not_tell_all_of_needs_its_requests(db, usage, tools, cost):
    sheet = SHEET | {"web_search_calls": [{"dimension": "web_search_calls", "unit_price": 11, "unit_qty": 1}]}
    usage = {"input_tokens": 40, "output_tokens": 3, "endpoint": "/v1/images/edits"} | usage
    got = db.execute(
        "select * from app.price_call('/v1/batches', %s::jsonb, %s::jsonb, true, %s::jsonb)",
        [json.dumps(usage), json.dumps(tools), json.dumps({"model": "m", "sheet": sheet})],
    ).fetchone()
    assert (got["cost"], got["cost_status"]) == (cost, "no_usage" if cost is None else "priced")
    assert sum(line["cost"] or 0 for line in got["cost_lines"]) == (cost or 0)


@pytest.mark.parametrize(
    ("endpoint", "usage", "cost", "status"),
    [
        ("/v1/batches", {"requests": 0}, 0, "free"),
        ("/v1/batches", {"requests": 0, "region": "eu"}, 0, "free"),
        ("/v1/batches", {"requests": 0} | USAGE, None, "unpriced_model"),
        ("/v1/batches", {"requests": 1}, None, "no_usage"),
        ("/v1/batches", "requests", None, "no_usage"),
        ("/v1/batches", "by_length", None, "no_usage"),
        ("/v1/batches", ["requests"], None, "no_usage"),
        ("/v1/responses", {"requests": 0}, None, "no_usage"),
    ],
)
def test_a_batch_of_which_nothing_ran_is_free_whatever_its_model(db, endpoint, usage, cost, status):
    query = "select * from app.price_call(%s, %s::jsonb, null, true, '{}')"
    got = db.execute(query, [endpoint, json.dumps(usage)]).fetchone()
    assert (got["cost"], got["cost_status"]) == (cost, status)


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_call") == {"authenticated"}
