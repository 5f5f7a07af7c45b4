"""The list of prices, cut to what concerns the organization, and the prices of one model, tier beside tier."""

from __future__ import annotations

import re

import pytest
from conftest import Site
from seeded import Acme, spend, text


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def listed(team: Acme, path: str) -> list[str]:
    """Models in the list of prices, in their order."""
    return re.findall(r'<th scope="row"><a href="/prices/([^"]+)"', team.browser.get(path).text)


def test_models_in_use_are_shown_and_the_others_behind_a_link_or_by_a_search(site: Site, team: Acme) -> None:
    everything = listed(team, "/prices")
    assert len(everything) > 50, "nobody called anything: there is nothing to cut the list to"
    spend(site, team, model="gpt-4o-mini-2024-07-18")
    team.ada.post("/prices", {"model": "o3", "dimension": "input_text", "unit_price": "1", "unit_qty": "1000000"})
    assert listed(team, "/prices") == ["gpt-4o-mini", "o3"]
    page = team.browser.get("/prices")
    assert "$0.075</td>" in page.text and "$0.50\u2007</td>" in page.text, "points stand below points"
    link = re.search(r'href="(/prices\?all=1)">All ([\d,]+) models', page.text)
    assert sorted(listed(team, link[1])) == sorted(everything) and int(link[2]) == len(everything)
    assert "Prices of models in use" in page.text and "Only the 2 in use" in text(team.browser.get(link[1]))
    assert listed(team, "/prices?q=gpt-4.1-n") == ["ft:gpt-4.1-nano-2025-04-14", "gpt-4.1-nano"]
    assert "<title>Prices: gpt-4.1-n · SpendAI" in team.browser.get("/prices?q=gpt-4.1-n").text


def test_a_model_s_prices_in_force_stand_tier_beside_tier(site: Site, team: Acme) -> None:
    team.ada.post("/prices", {"model": "gpt-5", "dimension": "input_text", "service_tier": "flex",
                              "unit_price": "0.5", "unit_qty": "1000000"})  # fmt: skip
    page = text(team.browser.get("/prices/gpt-5"))
    now = page[page.index("In force now") : page.index("Every price, newest first")].replace("\u2007", "")
    assert "What Standard Batch Flex Priority" in now
    assert "input text per 1,000,000 $1.25 $0.625 own price $0.50 $2.50" in now
    assert "output text per 1,000,000 $10.00 $5.00 $5.00 $20.00" in now
    assert "web search calls per 1,000 $10.00 in every tier" in now
    assert "regional processing gov of the cost of the tokens +10 % in every tier" in now
