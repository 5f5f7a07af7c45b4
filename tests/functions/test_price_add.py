"""app.price_add: an organization's own prices."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

ADD = "select * from app.price_add(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
FROM = datetime(2026, 6, 1, tzinfo=UTC)
PRICE = ["gpt-4o", "input_text", "standard", 0, "", "0.1234567891", "1000000", FROM, "contract 7"]
PLACES = ("model", "dimension", "service_tier", "context_min_tokens", "qualifier", "unit_price", "unit_qty",
          "valid_from", "note")  # fmt: skip


def changed(**words: Any) -> list[Any]:
    return [words.get(name, value) for name, value in zip(PLACES, PRICE, strict=True)]


def add(people: People, who: str = "ada", **words: Any) -> dict[str, Any]:
    with people.as_(who):
        return people.one(ADD, *changed(**words))


def cost(people: People, who: str, at: datetime, model: str = "gpt-4o") -> Decimal:
    row = people.one(
        "select cost from app.price_usage(%s, '/v1/chat/completions', %s, null, null, false,"
        """ '{"prompt_tokens": 1000000, "completion_tokens": 0}', null, %s)""",
        people.orgs[who], model, at,
    )  # fmt: skip
    return row["cost"]


def test_it_counts_exactly_for_calls_of_the_own_organization_from_its_moment_on(people: People) -> None:
    row = add(people)
    assert (row["unit_price"], row["revision"], row["source"]) == (Decimal("0.1234567891"), 1, "admin")
    assert (row["org_id"], row["created_by"], row["note"]) == (people.orgs["ada"], people.ids["ada"], "contract 7")
    assert cost(people, "ada", FROM) == Decimal("0.1234567891")
    assert cost(people, "ada", FROM.replace(year=2025)) == cost(people, "eve", FROM) == Decimal("2.5")
    ((action, _, details),) = [line for line in audit_lines(people, "ada") if line[0] == "price.added"]
    assert action == "price.added" and details["unit_price"] == "0.1234567891" and details["price_id"] == row["id"]


def test_the_same_price_for_the_same_moment_again_is_its_correction(people: People) -> None:
    add(people)
    assert add(people, unit_price="0.2")["revision"] == 2
    assert add(people, "eve")["revision"] == 1
    assert add(people, dimension="output_text")["revision"] == 1
    assert cost(people, "ada", FROM) == Decimal("0.2")


def test_a_name_of_a_model_stands_for_the_model_and_an_unknown_one_for_itself(people: People) -> None:
    assert add(people, model=" OpenAI/GPT-4o-2024-08-06 ")["model"] == "gpt-4o"
    assert cost(people, "ada", FROM, "gpt-4o-2024-11-20") == Decimal("0.1234567891")
    assert add(people, model="gpt-99")["model"] == "gpt-99"
    assert cost(people, "ada", FROM, "gpt-99") == Decimal("0.1234567891")
    assert cost(people, "eve", FROM, "gpt-99") is None


def test_what_is_left_out_is_standard_any_length_and_today(people: People) -> None:
    row = add(people, service_tier=None, context_min_tokens=None, qualifier=None, valid_from=None, note=None)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    assert (row["service_tier"], row["context_min_tokens"], row["qualifier"], row["note"]) == ("standard", 0, "", "")
    assert row["valid_from"] == today


def test_shares_of_what_the_tokens_cost_may_be_one_s_own(people: People) -> None:
    region = {"model": "gpt-6.1-sol", "dimension": "regional_processing", "qualifier": "eu", "unit_qty": "1"}
    row = add(people, **region, unit_price="0.05")
    assert (row["unit_price"], row["qualifier"]) == (Decimal("0.05"), "eu")
    window = {"model": "*tokens", "dimension": "completion_window", "qualifier": "2h", "unit_qty": "1"}
    assert add(people, **window, unit_price="-0.5")["unit_price"] == Decimal("-0.5")
    assert add(people, **region, unit_price="0")["revision"] == 2
    lines = people.one(
        "select cost_lines as l from app.price_usage(%s, '/v1/responses', 'gpt-6.1-sol', null, null, false,"
        """ '{"input_tokens": 1000000, "output_tokens": 0, "region": "eu", "completion_window": "2h"}', null, %s)""",
        people.orgs["ada"], FROM,
    )["l"]  # fmt: skip
    assert [line["dimension"] for line in lines] == ["input_text", "completion_window"]
    assert lines[1]["cost"] == -lines[0]["cost"] / 2


def test_a_dimension_with_digits_in_its_name_may_have_a_price(people: People) -> None:
    assert add(people, dimension="cache_write_12h")["dimension"] == "cache_write_12h"


@pytest.mark.parametrize(("column", "value", "more"), [
    ("model", " ", {}),
    ("model", "m" * 201, {}),
    ("dimension", "input_tokens", {}),
    ("dimension", None, {}),
    ("service_tier", "scale", {}),
    ("service_tier", "flex", {"dimension": "images"}),
    ("context_min_tokens", -1, {}),
    ("context_min_tokens", 5, {"dimension": "images"}),
    ("qualifier", "q" * 81, {"dimension": "images"}),
    *[("qualifier", "4g", {"dimension": dimension})
      for dimension in ("input_text", "cache_write_12h", "audio_seconds", "web_search_calls", "requests")],
    *[("qualifier", word, {"dimension": "container_sessions"}) for word in ("1g", "4G", "4 gb")],
    *[("qualifier", word, {"dimension": "regional_processing", "unit_price": "0.1", "unit_qty": "1"})
      for word in ("EU", " eu")],
    *[("unit_price", price, {}) for price in (None, "", "-1", "1e3", "NaN", "0.12345678901", "1,5", "9" * 11, "$1")],
    *[("unit_qty", count, {}) for count in (None, "0", "1.5", "1000000000000", "NaN")],
    *[("unit_price", price, {"dimension": "completion_window", "unit_qty": "1"})
      for price in ("0.3", "-1.1", "-30", "1", "-0.12345678901", "", None)],
    *[("unit_price", price, {"dimension": "regional_processing", "unit_qty": "1"})
      for price in ("-0.1", "10", "1.1", None)],
    *[("unit_qty", count, {"dimension": "regional_processing", "unit_price": "0.1"}) for count in ("1000000", None)],
    ("service_tier", "flex", {"dimension": "completion_window"}),
    ("valid_from", datetime(1999, 1, 1, tzinfo=UTC), {}),
    ("note", "n" * 1001, {}),
])  # fmt: skip
def test_what_is_no_price_is_refused_and_named(people: People, column: str, value: Any, more: dict[str, Any]) -> None:
    words = changed(**{column: value} | more)
    assert refuses(people, "ada", "400 invalid_price", ADD, *words).column_name == column
    assert people.all("select * from public.model_prices where org_id is not null") == []


def test_only_admins_may_add_one_and_only_their_own_people_see_it(db: psycopg.Connection, people: People) -> None:
    refuses(people, "dev", "403 admin_required", ADD, *PRICE)
    strangers_are_refused(people, ADD, *PRICE)
    assert executors(db, "price_add") == {"authenticated"}
    add(people)
    for who, seen in (("dev", 1), ("eve", 0)):
        with people.as_(who):
            assert people.one("select count(*) as n from public.model_prices where org_id is not null")["n"] == seen
