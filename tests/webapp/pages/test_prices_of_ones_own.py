"""Prices of an organization's own, by page and by API: added by admins, dated, seen by nobody else."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from conftest import Site
from seeded import Acme, spend, text

NEW = {"model": "gpt-4o", "dimension": "input_text", "unit_price": "0.1234567891", "unit_qty": "1000000",
       "valid_from": "2026-06-01T00:00:00Z", "note": "contract 7"}  # fmt: skip


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def test_a_price_is_added_exactly_and_stands_in_the_history_of_its_model(team: Acme) -> None:
    answer = team.ada.post("/prices", NEW)
    assert answer.status_code == 201, answer.text
    shown = answer.json
    assert {name: shown[name] for name in NEW} == NEW
    assert (shown["own"], shown["in_force"], shown["revision"], shown["service_tier"]) == (True, True, 1, "standard")
    assert team.ada.post("/prices", NEW | {"unit_price": "0.2"}).json["revision"] == 2
    history = team.dev.get("/prices?model=gpt-4o-2024-08-06").json["data"]
    assert [(row["unit_price"], row["in_force"]) for row in history if row["own"]] == [
        ("0.2", True), ("0.1234567891", False),
    ]  # fmt: skip
    assert [row["own"] for row in history][:2] == [True, True], "not the newest first"
    assert not any(row["own"] for row in team.eve.get("/prices?model=gpt-4o").json["data"])
    assert team.ada.get("/prices?model=unheard-of").json["data"] == []


@pytest.mark.parametrize(("change", "param"), [
    ({"unit_price": 0.1}, "unit_price"), ({"unit_price": None}, "unit_price"), ({"unit_price": "-1"}, "unit_price"),
    ({"unit_price": True}, "unit_price"), ({"unit_qty": 0}, "unit_qty"), ({"unit_qty": 1e6}, "unit_qty"),
    ({"model": ""}, "model"), ({"model": None}, "model"), ({"dimension": "tokens"}, "dimension"),
    ({"service_tier": "gold"}, "service_tier"), ({"valid_from": "soon"}, "valid_from"),
    ({"valid_from": "1990-01-01T00:00:00Z"}, "valid_from"), ({"context_min_tokens": -1}, "context_min_tokens"),
])  # fmt: skip
def test_what_is_no_price_is_refused_by_name(team: Acme, change: dict[str, Any], param: str) -> None:
    answer = team.ada.post("/prices", NEW | change)
    assert (answer.status_code, answer.json["error"]["param"]) == (400, param)


def test_whole_numbers_are_exact_as_they_are(team: Acme) -> None:
    shown = team.ada.post("/prices", NEW | {"unit_price": 3, "unit_qty": 1000}).json
    assert (shown["unit_price"], shown["unit_qty"]) == ("3", "1000")


def test_the_list_of_missing_prices_names_what_had_none(site: Site, team: Acme) -> None:
    details = {"video_tokens": 4}
    spend(site, team, usage={"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": details})
    page = text(team.browser.get("/prices"))
    assert "a price for something it used prompt_tokens_details.video_tokens" in page


def test_an_unpriced_model_leads_to_its_calls_and_to_a_form_that_prices_it(site: Site, team: Acme) -> None:
    spend(site, team, model="gpt-99", model_requested="gpt-99")
    page = team.browser.get("/prices")
    assert text(page).index("Models without a price") < text(page).index("A price of your own")
    calls = re.search(r'href="(/calls\?[^"]*gpt-99[^"]*)"', page.text)[1].replace("&amp;", "&")
    assert "gpt-99" in text(team.browser.get(calls))
    form = re.search(r'href="(/prices\?model=gpt-99)#add-title"', page.text)[1]
    assert 'name="model" type="text" value="gpt-99"' in team.browser.get(form).text
    added = team.browser.post(
        "/prices", model="gpt-99", dimension="input_text", service_tier="standard", context_min_tokens="0",
        qualifier="", unit_price="1.5", unit_qty="1000000", valid_from="2026-06-01", note="",
    )  # fmt: skip
    assert (added.status_code, added.location) == (303, "/prices/gpt-99")
    shown = text(team.browser.get("/prices/gpt-99"))
    assert "input text in force own price standard $1.50 per 1,000,000 2026-06-01 00:00:00 1 admin" in shown
    call = team.ada.get(
        f"/calls/{spend(site, team, model='gpt-99', usage={'prompt_tokens': 2, 'completion_tokens': 0})}"
    )
    assert Decimal(call.json["cost"]) == Decimal("0.000003")
    assert team.eves.get("/prices/gpt-99").status_code == 404


def test_a_refused_price_is_said_at_its_field_with_everything_typed_still_there(team: Acme) -> None:
    form = {"model": "gpt-4o", "dimension": "images", "service_tier": "flex", "unit_price": "1", "unit_qty": "1"}
    page = team.browser.post("/prices", **form, context_min_tokens="0", qualifier="", valid_from="", note="so it is")
    assert page.status_code == 400
    assert "Only tokens have tiers: everything else is always standard." in text(page)
    assert 'value="so it is"' in page.text and '<option value="images" selected>' in page.text
    for change, words in (({"valid_from": "soon"}, "This is a date"), ({"context_min_tokens": "x"}, "whole number")):
        fields = {"qualifier": "", "note": "", "context_min_tokens": "0", "valid_from": ""} | change
        page = team.browser.post("/prices", **form | fields | {"service_tier": "standard"})
        assert page.status_code == 400 and words in text(page)


def test_a_price_far_from_the_list_price_is_asked_about_before_it_is_added(team: Acme) -> None:
    """OpenAI's price of gpt-4o is $2.50 per million tokens."""
    form = {"model": "gpt-4o-2024-08-06", "dimension": "input_text", "service_tier": "standard", "qualifier": "",
            "unit_qty": "1000000", "context_min_tokens": "0", "valid_from": "2026-06-01", "note": ""}  # fmt: skip
    for price, words in (("2500", "more than 10 times"), ("25.1", "more than 10 times"), ("0.24", "less than a tenth")):
        page = team.browser.post("/prices", **form, unit_price=price)
        assert page.status_code == 409
        assert f"This is {words}" in text(page) and "the list price, $2.50 per 1,000,000" in text(page)
        assert f'value="{price}"' in page.text and 'name="confirm"' in page.text
    assert not any(row["own"] for row in team.ada.get("/prices?model=gpt-4o").json["data"])
    assert "price.added" not in {row["action"] for row in team.ada.get("/audit").json["data"]}
    for price in ("25", "0.25"):
        assert team.browser.post("/prices", **form, unit_price=price).status_code == 303
    assert team.browser.post("/prices", **form, unit_price="2500", confirm="yes").status_code == 303
    for other in ({"dimension": "cache_write_12h"}, {"model": "gpt-99"}):  # nothing to compare with
        assert team.browser.post("/prices", **form | other, unit_price="2500").status_code == 303


def test_developers_see_prices_and_no_form_and_may_add_none(team: Acme) -> None:
    page = team.devs.get("/prices")
    assert "A price of your own" not in text(page)
    form = {"model": "gpt-4o", "dimension": "input_text", "unit_price": "1", "unit_qty": "1"}
    assert team.devs.post("/prices", shown="/", **form).status_code == 403
    assert team.devs.get("/prices/gpt-4o").status_code == 200


def test_the_history_shows_dates_sources_and_revisions_of_any_name_of_the_model(site: Site, team: Acme) -> None:
    page = text(team.browser.get("/prices/gpt-5.6-sol"))
    assert "2026-08-21 00:00:00" in page and "genai-prices" in page and "above 272,000 input tokens" in page
    assert page.index("2026-08-21") < page.index("always")
    assert team.browser.get("/prices/openai/GPT-4o").status_code == 200
    assert team.browser.get("/prices/unheard-of").status_code == 404
