"""app.price_sheet: what a model costs at one moment."""

from __future__ import annotations

from decimal import Decimal

from checks import executors
from pricing import NOW, add_price, value


def sheet(db, model, tier="standard", tools=True, org=None, limit=None, at=NOW):
    return value(db, "app.price_sheet(%s, %s, %s, %s, %s, %s)", org, model, tier, tools, limit, at)


def prices(offers):
    return [(offer["unit_price"], offer.get("context_min_tokens")) for offer in offers]


def test_each_dimension_has_the_price_in_force_long_context_first(db):
    now = sheet(db, "gpt-5.6-sol")
    assert prices(now["input_text"]) == [(8, 272_000), (4, None)]
    assert prices(sheet(db, "gpt-5.6-sol", at="2026-08-20T23:59:59Z")["input_text"]) == [(10, 272_000), (5, None)]


def test_prices_for_more_input_than_there_can_be_are_left_out(db):
    assert prices(sheet(db, "gpt-5.6-sol", limit=272_000)["input_text"]) == [(4, None)]
    assert prices(sheet(db, "gpt-5.6-sol", limit=272_001)["input_text"]) == [(8, 272_000), (4, None)]


def test_tokens_follow_the_tier_and_nothing_else_does(db):
    flex = sheet(db, "gpt-5-mini", "flex")
    assert flex["input_text"][0]["tier"] == "flex"
    assert flex["web_search_calls"][0]["tier"] == "standard"
    assert "input_text" not in sheet(db, "gpt-5-mini", "ultrafast")


def test_the_model_s_own_tool_price_goes_before_the_provider_wide_one(db):
    offers = sheet(db, "gpt-4o")["file_search_calls"]
    assert [offer["model"] for offer in offers] == ["gpt-4o", "*tools"]
    assert set(sheet(db, "gpt-4o", tools=False)) == {"input_text", "cached_text", "output_text"}


def test_shares_of_any_model_are_there_for_calls_with_extras_only(db):
    add_price(db, "gpt-4o", "regional_processing", "0", unit_qty=1)
    with_extras = sheet(db, "gpt-4o")
    assert prices(with_extras["completion_window:2h"]) == [(Decimal("-0.3"), None)]
    assert {"regional_processing", "regional_processing:eu"} < set(with_extras)
    assert not any("regional" in key or "window" in key for key in sheet(db, "gpt-4o", tools=False))


def test_the_organization_s_price_goes_before_the_list(db, people):
    add_price(db, "gpt-5.4", "input_text", "1", org_id=people.orgs["ada"])
    own = sheet(db, "gpt-5.4", org=people.orgs["ada"])["input_text"]
    assert prices(own) == [(1, None), (5, 272_000), (Decimal("2.5"), None)]
    assert prices(sheet(db, "gpt-5.4", org=people.orgs["eve"])["input_text"]) == [(5, 272_000), (Decimal("2.5"), None)]


def test_the_newest_row_then_the_highest_revision_is_in_force(db):
    for price, start, revision in (
        ("5", "2026-09-01", 1),
        ("6", "2026-09-01", 2),
        ("9", "2027-01-01", 1),
        ("4", "2026-01-01", 3),
    ):
        add_price(db, "m", "input_text", price, valid_from=start, revision=revision)
    assert prices(sheet(db, "m")["input_text"]) == [(6, None)]


def test_qualified_prices_have_their_own_key(db):
    add_price(db, "m", "images", "1", qualifier="1024x1024+hd")
    assert set(sheet(db, "m", tools=False)) == {"images:1024x1024+hd"}


def test_an_unknown_model_has_an_empty_sheet(db):
    assert sheet(db, "nothing", tools=False) == {} == sheet(db, None, tools=False)


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_sheet") == {"authenticated"}
