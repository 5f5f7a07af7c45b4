"""Pages of end users, tags and members: what each cost in a period."""

from __future__ import annotations

import pytest
from conftest import Site
from seeded import Acme, spend, table, text


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def test_end_users_are_listed_with_their_spend_and_lead_to_it(site: Site, team: Acme) -> None:
    for _ in range(2):
        spend(site, team, end_user="bo & co")
    spend(site, team)
    spend(site, team, end_user="al", days=40)
    page = team.devs.get("/end-users")
    assert "bo & co $0.00090 +$0.00090 2" in text(page) and "no end user $0.00045" in text(page)
    assert 'href="/?end_user=bo+%26+co"' in page.text and 'href="/calls?end_user=bo+%26+co"' in page.text
    assert "as they named them: safety_identifier of the request, or else user ." in text(page)
    assert "Total $0.0014" in text(page)
    assert "al $0.00 −$0.00045 0" in text(page)
    assert "no end user" not in text(team.browser.get("/end-users?q=BO"))
    assert "No end user fits." in text(team.browser.get("/end-users?q=nobody"))
    assert [row["end_user"] for row in table(team.browser.get("/end-users.csv?sort=-label"))] == ["bo & co", "al", ""]
    assert "bo & co" not in text(team.eves.get("/end-users"))


def test_spend_by_tag_says_how_to_send_tags_where_no_call_has_any(site: Site, team: Acme) -> None:
    spend(site, team)
    hint = "None of these calls has tags. Send them with each call: x-spendai-tags: team=search, env=prod"
    page = text(team.browser.get("/?by=tag"))
    assert hint in page and "choose one" not in page
    spend(site, team, tags={"team": "shop"})
    page = text(team.browser.get("/?by=tag"))
    assert hint not in page and "choose one" in page


def test_tags_are_listed_by_name_and_lead_to_their_values_and_the_calls_without(site: Site, team: Acme) -> None:
    spend(site, team, tags={"team": "shop", "env": "prod"})
    spend(site, team, tags={"team": "search"})
    spend(site, team)
    names = team.devs.get("/tags?period=7")
    assert "team $0.00090 +$0.00090 2 2" in text(names) and 'href="/tags?period=7&amp;tag_name=team"' in names.text
    page = team.devs.get("/tags?period=7&tag_name=team")
    for words in ("shop $0.00045", "search $0.00045", "no team $0.00045", "Total $0.0014"):
        assert words in text(page)
    assert 'href="/?period=7&amp;tag=team%3Dshop"' in page.text
    assert [row["value"] for row in table(team.browser.get("/tags.csv?tag_name=team&sort=-label"))] == [
        "shop",
        "search",
        "",
    ]
    assert [row["tag"] for row in table(team.browser.get("/tags.csv?sort=label"))] == ["env", "team"]
    assert "No calls with tags" in text(team.eves.get("/tags"))


def test_a_member_s_page_has_what_their_keys_cost_in_a_period(site: Site, team: Acme) -> None:
    spend(site, team)
    spend(site, team, days=10)
    page = team.devs.get(f"/team/{team.ada.user['id']}?period=7")
    assert "Calls 1 Cost not known 0" in text(page)
    assert f'href="/keys/{team.key["id"]}?period=7"' in page.text and f"ask {team.ada.email}" in text(page)


def test_the_pages_are_two_clicks_from_spend(team: Acme) -> None:
    page = team.browser.get("/team").text
    assert 'href="/end-users"' in page and 'href="/tags"' in page
