"""app.fill_batch: a batch with long requests gets its cost from its output file."""

from decimal import Decimal

import pytest
from pricing import add_price
from test_fill_objects import USAGE, look, make, row

ONE, OTHERS = {"input_tokens": 300_000, "output_tokens": 10}, {"input_tokens": 100_000, "output_tokens": 10}
WHOLE = {"input_tokens": 400_000, "output_tokens": 20, "total_tokens": 400_020}
FILE = {"input_tokens": 400_000, "output_tokens": 20, "by_length": {"over": 128_000, "short": OTHERS, "long": [ONE]}}
COST = (300_000 * Decimal("2.5") + 10 * Decimal("11.25") + 100_000 * Decimal("1.25") + 10 * Decimal("7.5")) / 1_000_000


def long_batch(people, model="gpt-5.4"):
    """A batch of more input tokens than a long context begins with; returns the id of the call that made it."""
    return make(people, "/v1/batches", batch=True, model=model, model_requested=None)


def look_batch(people, **changes):
    seen = {"model": "gpt-5.4", "usage": WHOLE, "output_file_id": "file-out"} | changes
    return look(people, endpoint="/v1/batches/{batch_id}", **seen)


def look_file(people, usage=FILE, name="ada", **changes):
    """A call that downloads the output file of a batch."""
    listed = [{"upstream_object_id": "file-out", "usage": usage} | changes]
    words = {"endpoint": "/v1/files/{file_id}/content", "upstream_object_id": None, "usage": None, "model": None}
    return look(people, name, listed=listed, **words)


def test_a_batch_whose_sum_is_long_gets_its_cost_from_its_output_file_once(people):
    made = long_batch(people)
    look_file(people)  # nobody knows whose it is
    look_batch(people)
    assert (row(people, made)["cost"], row(people, made)["cost_status"]) == (None, "no_usage")
    for _ in range(2):
        seen = look_file(people)
        look_batch(people)
        assert (seen["cost"], seen["cost_status"], seen["tokens_in"]) == (0, "free", None)
    filled = row(people, made)
    assert (filled["cost"], filled["cost_status"]) == (COST, "priced")
    assert (filled["usage"], filled["tokens_in"]) == (WHOLE | FILE, 400_000)
    assert (
        len(people.all("select from cost_fills")) == 2
        and people.one("select sum(cost) as s from usage_logs")["s"] == COST
    )


def test_a_list_of_batches_tells_their_files_too(people):
    made = long_batch(people)
    listed = {"upstream_object_id": "resp_1", "model": "gpt-5.4", "usage": WHOLE, "output_file_id": "file-out"}
    look(people, endpoint="/v1/batches", upstream_object_id=None, usage=None, listed=[listed])
    look_file(people)
    assert row(people, made)["cost"] == COST


def test_a_batch_seen_without_a_cost_before_its_file_was_known_is_filled_when_it_is_read_again(people):
    made = long_batch(people)
    look_batch(people, output_file_id=None)
    look_batch(people)
    look_file(people)
    assert row(people, made)["cost"] == COST


@pytest.mark.parametrize("usage", [
    FILE | {"input_tokens": 399_999}, FILE | {"output_tokens": 21}, FILE | {"by_length": {}},
    FILE | {"by_length": FILE["by_length"] | {"long": [ONE, ONE]}}, {"by_length": FILE["by_length"]},
    {"input_tokens": 400_000, "output_tokens": 20}, None,
])  # fmt: skip
def test_a_file_that_does_not_fit_its_batch_fills_nothing(people, usage):
    made = long_batch(people)
    look_batch(people)
    look_file(people, usage)
    assert (row(people, made)["cost"], row(people, made)["tokens_in"]) == (None, 400_000)


def test_a_part_of_a_file_does_not_keep_the_whole_from_telling_the_cost(people):
    made = long_batch(people)
    look_batch(people)
    look_file(people, FILE | {"input_tokens": 300_000})
    look_file(people)
    assert row(people, made)["cost"] == COST


@pytest.mark.parametrize("model", ["gpt-5.4", "new-model"])
def test_a_call_that_reads_what_a_file_is_changes_nothing(people, model):
    made = long_batch(people, model=model)
    look_batch(people, model=model)
    before = row(people, made)
    for usage in (None, USAGE):
        look(people, endpoint="/v1/files/{file_id}", upstream_object_id="file-out", usage=usage, model=None)
    assert row(people, made) == before


def test_eve_cannot_fill_by_a_file_of_that_id(people):
    made = long_batch(people)
    look_batch(people)
    look_file(people, name="eve")
    assert row(people, made)["cost"] is None
    look_file(people)
    assert row(people, made)["cost"] == COST


def test_a_price_added_later_still_knows_which_requests_were_long(people):
    made = long_batch(people)
    look_batch(people)
    look_file(people)
    people.conn.execute("select app.reprice(now() - interval '1 day', now() + interval '1 day', 'again', false)")
    assert (row(people, made)["cost"], people.all("select from cost_adjustments")) == (COST, [])


@pytest.mark.parametrize("again", ["repriced", "read"])
def test_a_file_read_before_its_model_had_a_price_tells_the_cost_when_it_has_one(people, again):
    made = long_batch(people, model="new-model")
    look_batch(people, model="new-model")
    look_file(people, FILE | {"input_tokens": 399_999})
    assert row(people, made)["usage"] == WHOLE
    look_file(people)
    assert (row(people, made)["cost_status"], row(people, made)["usage"]) == ("unpriced_model", WHOLE | FILE)
    for dimension in ("input_text", "output_text"):
        add_price(people.conn, "new-model", dimension, "1", service_tier="batch")
        add_price(people.conn, "new-model", dimension, "2", service_tier="batch", context_min_tokens=272_000)
    for _ in range(2):
        if again == "read":
            look_file(people)
        else:
            people.conn.execute("select app.reprice_new('a price came', false)")
    assert row(people, made)["cost"] == Decimal("0.70003")
    assert people.all("select from cost_adjustments") == []


def test_tools_of_the_file_are_billed_and_kept_so_that_pricing_again_changes_nothing(people):
    made = long_batch(people)
    look_batch(people, usage=WHOLE | {"endpoint": "/v1/images/edits"})
    look_file(people, FILE | {"tools": {"web_search_calls": 2}})
    assert (row(people, made)["cost"], row(people, made)["tools"]) == (COST + Decimal("0.02"), {"web_search_calls": 2})
    people.conn.execute("select app.reprice(now() - interval '1 day', now() + interval '1 day', 'again', false)")
    assert people.all("select from cost_adjustments") == []


@pytest.mark.parametrize("more", [{}, {"endpoint": "/v1/images/edits"}])
def test_tools_of_a_file_read_before_its_model_had_a_price_are_billed_when_it_has_one(people, more):
    made = long_batch(people, model="new-model")
    look_batch(people, model="new-model", usage=WHOLE | more)
    for _ in range(2):
        look_file(people, FILE | {"tools": {"web_search_calls": 2}})
    assert (row(people, made)["cost"], row(people, made)["cost_status"]) == (None, "unpriced_model")
    for dimension in ("input_text", "output_text"):
        add_price(people.conn, "new-model", dimension, "1", service_tier="batch")
    people.conn.execute("select app.reprice_new('a price came', false)")
    assert row(people, made)["cost"] == Decimal("0.42002")
