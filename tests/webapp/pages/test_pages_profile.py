"""Account: one's own password and sessions."""

from __future__ import annotations

import pytest
from conftest import PASSWORD, Site
from seeded import Acme, browser_of, text

NEW = "a better password"


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def change(team: Acme, current: str = PASSWORD, password: str = NEW) -> object:
    return team.browser.post("/account/password", shown="/account", current=current, password=password)


def test_the_account_is_one_click_away_and_lists_where_one_is_signed_in(site: Site, team: Acme) -> None:
    assert 'href="/account"' in team.browser.get("/team").text
    browser_of(site, team.ada)
    page = text(team.browser.get("/account"))
    assert team.ada.email in page and "Browser (this one)" in page
    assert page.count("Browser") == 2 and "API" in page


def test_changing_the_password_takes_the_old_one_and_signs_out_everywhere_else(site: Site, team: Acme) -> None:
    elsewhere = browser_of(site, team.ada)
    assert change(team).location == "/account"
    assert "Your password is changed" in text(team.browser.get("/account"))
    assert elsewhere.get("/account").status_code == 302
    assert team.ada.get("/me").status_code == 401
    fresh = site.browser()
    assert fresh.post("/login", email=team.ada.email, password=PASSWORD).status_code == 401
    assert fresh.post("/login", email=team.ada.email, password=NEW).status_code == 303


@pytest.mark.parametrize(("current", "password", "words"), [
    ("not it", NEW, "This is not your password."),
    ("", NEW, "This is not your password."),
    (PASSWORD, "short", "A password has at least 8 characters."),
    (PASSWORD, "x" * 73, "A password has at most 72 bytes."),
    (PASSWORD, "iloveyou", "This is one of the most used passwords."),
])  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_changes(
    site: Site, team: Acme, current: str, password: str, words: str
) -> None:
    answer = change(team, current, password)
    assert answer.status_code == 400 and words in text(answer)
    assert password not in answer.text
    assert site.browser().post("/login", email=team.ada.email, password=PASSWORD).status_code == 303


def test_guessing_the_old_password_has_to_wait_as_log_ins_do(team: Acme) -> None:
    codes = [change(team, f"guess {n}").status_code for n in range(21)]
    assert codes[0] == 400 and codes[-1] == 429


def test_signing_out_everywhere_ends_every_session_here_too(site: Site, team: Acme) -> None:
    elsewhere = browser_of(site, team.ada)
    assert "Every browser and every log-in through the API ends" in text(team.browser.get("/account/sessions"))
    answer = team.browser.post("/account/sessions", shown="/account")
    assert answer.status_code == 303 and answer.location == "/login"
    assert "signed out everywhere" in text(team.browser.get("/login"))
    for browser in (elsewhere, team.browser):
        assert browser.get("/account").status_code == 302
    assert team.ada.get("/me").status_code == 401


def test_nobody_else_is_signed_out(site: Site, team: Acme) -> None:
    team.devs.get("/account")
    team.browser.post("/account/sessions", shown="/account")
    assert team.devs.get("/account").status_code == 200


def test_where_supabase_keeps_passwords_they_are_not_changed_here(site: Site, team: Acme) -> None:
    team.site = site
    site.app.config["SPENDAI"], kept = site.with_settings(supabase_url="").config, site.app.config["SPENDAI"]
    try:
        object.__setattr__(site.app.config["SPENDAI"], "supabase_url", "https://ref.supabase.co")
        assert "Supabase keeps your password" in text(team.browser.get("/account"))
        assert "supabase-py" in text(team.browser.get("/settings"))
        token = team.browser.token("/account")
        answer = team.browser.post("/account/password", csrf_token=token, shown="/account", password=NEW)
        assert answer.status_code == 400
    finally:
        site.app.config["SPENDAI"] = kept
    assert "supabase-py" not in text(team.browser.get("/settings"))
