"""Account: one's own password and sessions."""

from __future__ import annotations

import re

import pytest
from conftest import PASSWORD, Site
from seeded import Acme, browser_of, text
from werkzeug.test import TestResponse

NEW = "a better password"


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def change(team: Acme, current: str = PASSWORD, password: str = NEW) -> object:
    return team.browser.post("/account/password", shown="/account", current=current, password=password)


def test_the_account_is_one_click_away_and_lists_where_one_is_signed_in(site: Site, team: Acme) -> None:
    assert 'href="/account"' in team.browser.get("/team").text
    elsewhere = site.browser()
    elsewhere.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0"
    elsewhere.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert elsewhere.post("/login", email=team.ada.email, password=PASSWORD).status_code == 303
    page = text(team.browser.get("/account"))
    assert team.ada.email in page and page.count("now, this one") == 1 and "Werkzeug (API)" in page
    assert "Firefox on Linux 203.0.113.9, since" in page
    ends = re.findall(r'action="(/account/sessions/[^"]+/end)"', team.browser.get("/account").text)
    assert len(ends) == 2, "this session has no button"
    assert team.eves.post(ends[0], shown="/account").status_code == 404
    assert team.browser.post(ends[0], shown="/account").location == "/account"
    assert "Firefox on Linux" not in text(team.browser.get("/account"))
    assert elsewhere.get("/account").status_code == 302 and team.browser.get("/account").status_code == 200
    assert team.browser.post(ends[0], shown="/account").status_code == 404


def test_the_e_mail_address_changes_with_the_password(site: Site, team: Acme) -> None:
    new = site.email("new")

    def change(email: str, password: str = PASSWORD) -> TestResponse:
        return team.browser.post("/account/email", shown="/account", email=email, current_for_email=password)

    assert "This is not your password." in text(change(new, "a wrong one"))
    taken = change(team.eve.email)
    assert taken.status_code == 409 and "This address has an account already." in text(taken)
    assert change("nonsense").status_code == 400
    assert change(new).location == "/account"
    assert f"From now on you log in with {new}." in text(team.browser.get("/account"))
    assert site.browser().post("/login", email=team.ada.email, password=PASSWORD).status_code == 401
    assert site.browser().post("/login", email=new, password=PASSWORD).status_code == 303
    assert f"changed their e-mail address from {team.ada.email} to {new}" in text(team.browser.get("/audit"))


def test_an_account_is_deleted_with_its_password_but_not_that_of_the_only_admin(site: Site, team: Acme) -> None:
    told = team.browser.get("/account/delete")
    assert "You are the only admin of Acme" in text(told) and 'name="current"' not in told.text
    refused = team.browser.post("/account/delete", current=PASSWORD)
    assert refused.status_code == 409 and team.browser.get("/account").status_code == 200
    assert "This is not your password." in text(team.devs.post("/account/delete", current="a wrong one"))
    assert team.devs.post("/account/delete", current=PASSWORD).location == "/login"
    assert "Your account is deleted." in text(team.devs.get("/login"))
    assert site.browser().post("/login", email=team.dev.email, password=PASSWORD).status_code == 401
    assert team.dev.get("/me").status_code == 401
    assert f"deleted their account {team.dev.email}" in text(team.browser.get("/audit"))


def test_somebody_without_an_organization_has_an_account_page_too(site: Site, team: Acme) -> None:
    assert team.devs.post(f"/team/{team.dev.user['id']}/remove").status_code == 302
    assert "Your account" in text(team.devs.get("/organization"))
    assert team.dev.email in text(team.devs.get("/account"))
    assert team.devs.post("/account/delete", current=PASSWORD).location == "/login"


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
    assert "logged out everywhere" in text(team.browser.get("/login"))
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
        assert "supabase-py" in text(team.browser.get("/settings"))
    finally:
        site.app.config["SPENDAI"] = kept
    assert "supabase-py" not in text(team.browser.get("/settings"))
