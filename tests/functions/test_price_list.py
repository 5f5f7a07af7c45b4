"""app.price_list: what each model costs now."""

from __future__ import annotations

from decimal import Decimal

from checks import executors
from people import People
from spending import spent

LIST = "select * from app.price_list(%s)"


def test_prices_are_per_million_tokens(people: People) -> None:
    with people.as_("dev"):
        row = next(r for r in people.all(LIST, None) if r["model"] == "gpt-4o-mini")
    assert (row["input"], row["cached"], row["output"]) == (Decimal("0.15"), Decimal("0.075"), Decimal("0.6"))
    assert "web search calls: $11.20 per 1,000" in row["extra"]
    assert (row["own_price"], row["in_use"]) == (False, False)


def test_shares_of_what_the_tokens_cost_are_percentages(people: People) -> None:
    with people.as_("dev"):
        extra = {r["model"]: r["extra"] for r in people.all(LIST, None)}
    assert extra["*tokens"][:3] == [
        "completion window 2h: -30 % of the tokens", "completion window 8h: -40 % of the tokens",
        "regional processing ae: +10 % of the tokens",
    ]  # fmt: skip
    assert [text for text in extra["gpt-4o-mini"] if "regional" in text] == [
        "regional processing gov: +10 % of the tokens"
    ]


def test_models_in_use_come_first_under_whatever_name_they_were_called(people: People) -> None:
    spent(people, model="gpt-4o-mini-2024-07-18")
    with people.as_("ada"):
        assert next((r["model"], r["in_use"]) for r in people.all(LIST, "")) == ("gpt-4o-mini", True)
    with people.as_("eve"):
        assert not any(r["in_use"] for r in people.all(LIST, ""))


def test_words_find_parts_of_names_and_are_no_pattern(people: People) -> None:
    with people.as_("ada"):
        assert {"gpt-4o", "gpt-4o-mini"} <= {r["model"] for r in people.all(LIST, " GPT-4o ")}
        assert people.all(LIST, "%") == []


def test_an_own_price_goes_before_the_list_for_its_organization_only(people: People) -> None:
    people.conn.execute(
        "insert into public.model_prices (org_id, model, dimension, unit_price, unit_qty, valid_from, source)"
        " values (%s, 'gpt-4o-mini', 'input_text', 0.1, 1000000, now() - interval '1 day', 'contract')",
        [people.orgs["ada"]],
    )
    for who, price, own in (("ada", Decimal("0.1"), True), ("eve", Decimal("0.15"), False)):
        with people.as_(who):
            row = next(r for r in people.all(LIST, "gpt-4o-mini") if r["model"] == "gpt-4o-mini")
        assert (row["input"], row["own_price"]) == (price, own)
    assert executors(people.conn, "price_list") == {"authenticated"}
