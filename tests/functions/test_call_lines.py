"""app.call_lines."""

from __future__ import annotations

from decimal import Decimal

from checks import executors
from people import People
from spending import spent

LINES = "select * from app.call_lines(%s)"


def test_the_lines_add_up_to_the_cost_and_name_their_price(people: People) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 500, "prompt_tokens_details": {"cached_tokens": 600}}
    call = spent(people, usage=usage)
    with people.as_("dev"):
        lines = people.all(LINES, call)
        cost = people.one("select cost from app.call_show(%s)", call)["cost"]
    assert {line["dimension"]: (line["quantity"], line["cost"]) for line in lines} == {
        "input_text": (400, Decimal("0.00006")), "cached_text": (600, Decimal("0.000045")),
        "output_text": (500, Decimal("0.0003")),
    }  # fmt: skip
    assert sum(line["cost"] for line in lines) == cost
    for line in lines:
        price = people.one(
            "select unit_price, unit_qty, source from public.model_prices where id = %s", line["price_id"]
        )
        assert (line["unit_price"], line["unit_qty"], line["source"]) == (
            price["unit_price"], price["unit_qty"], price["source"],
        )  # fmt: skip
        assert (line["tier"], line["own_price"]) == ("standard", False)


def test_a_call_without_a_price_has_no_amount(people: People) -> None:
    call = spent(people, model="nobody-knows-it")
    with people.as_("ada"):
        lines = people.all(LINES, call)
    assert {line["dimension"]: line["cost"] for line in lines} == {"input_text": None, "output_text": None}


def test_a_call_without_usage_has_no_lines_and_eve_sees_none(people: People) -> None:
    unknown, known = spent(people, outcome="no_usage", usage=None), spent(people)
    with people.as_("ada"):
        assert people.all(LINES, unknown) == []
    with people.as_("eve"):
        assert people.all(LINES, known) == []
    assert executors(people.conn, "call_lines") == {"authenticated"}
