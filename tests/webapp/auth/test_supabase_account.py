"""What people change about their own account where Supabase Auth keeps it; fake_gotrue.py stands for that."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from conftest import Browser, Site
from fake_gotrue import FakeGoTrue
from seeded import text

PASSWORD, NEW = "correct horse 1", "another horse 2"


@pytest.fixture
def ada(cloud: Site) -> SimpleNamespace:
    """Somebody with an account, signed in with a browser."""
    email, browser = cloud.email("ada"), cloud.browser()
    assert browser.post("/signup", email=email, password=PASSWORD).status_code == 303
    return SimpleNamespace(email=email, browser=browser)


def logs_in(cloud: Site, email: str, password: str) -> bool:
    return cloud.browser().post("/login", email=email, password=password).status_code == 303


def test_the_password_changes_at_supabase_and_other_sessions_end(cloud: Site, ada: SimpleNamespace) -> None:
    elsewhere = cloud.browser()
    assert elsewhere.post("/login", email=ada.email, password=PASSWORD).status_code == 303

    def change(current: str, password: str) -> object:
        return ada.browser.post("/account/password", shown="/account", current=current, password=password)

    assert "This is not your password." in text(change("a wrong one", NEW))
    assert "This is your password already." in text(change(PASSWORD, PASSWORD))
    assert "This is one of the most used passwords." in text(change(PASSWORD, "password1"))
    assert change(PASSWORD, NEW).location == "/account"
    assert ada.browser.get("/account").status_code == 200 and elsewhere.get("/account").status_code == 302
    assert logs_in(cloud, ada.email, NEW) and not logs_in(cloud, ada.email, PASSWORD)


@pytest.mark.parametrize("confirm", [False, True])
def test_the_e_mail_address_changes_at_once_or_when_it_is_confirmed(
    cloud: Site, gotrue: FakeGoTrue, ada: SimpleNamespace, confirm: bool
) -> None:
    gotrue.confirm, new = confirm, cloud.email("new")
    words = {"shown": "/account", "email": new, "current_for_email": PASSWORD}
    assert ada.browser.post("/account/email", **words).location == "/account"
    page = text(ada.browser.get("/account"))
    assert ("Supabase sends a link to confirm the new address." in page) is confirm
    assert (f"{new} · admin of" in page) is not confirm
    assert logs_in(cloud, ada.email if confirm else new, PASSWORD)
    assert text(ada.browser.get("/team")).count(ada.email if confirm else new) >= 1


def test_a_taken_address_is_said(cloud: Site, ada: SimpleNamespace) -> None:
    other = cloud.email()
    cloud.browser().post("/signup", email=other, password=PASSWORD)
    answer = ada.browser.post("/account/email", shown="/account", email=other, current_for_email=PASSWORD)
    assert answer.status_code == 409 and "This address has an account already." in text(answer)


def test_deleting_the_account_says_where(cloud: Site, ada: SimpleNamespace) -> None:
    page = ada.browser.get("/account/delete")
    assert "delete " + ada.email + " in Supabase's dashboard, Authentication, Users" in text(page)
    answer = ada.browser.post("/account/delete", shown="/account", current=PASSWORD)
    assert answer.status_code == 400 and logs_in(cloud, ada.email, PASSWORD)


def ask_for_link(browser: Browser, email: str) -> None:
    assert "Forgot your password?" in text(browser.get("/login"))
    assert browser.post("/recovery", email=email).location == "/login"
    assert "If that address has an account, Supabase sends a link to it." in text(browser.get("/login"))


def test_a_link_with_a_token_hash_sets_a_new_password_once(
    cloud: Site, gotrue: FakeGoTrue, ada: SimpleNamespace
) -> None:
    lost = cloud.browser()
    ask_for_link(lost, "unknown@nowhere.test")
    assert gotrue.links == {}
    ask_for_link(lost, ada.email)
    (link,) = gotrue.links
    path = f"/recovery?token_hash={link}&type=recovery"
    assert "Choose a new password" in text(lost.get(path))
    weak = lost.post("/recovery", shown=path, token_hash=link, password="password1")
    assert weak.status_code == 400 and f'name="token_hash" value="{link}"' in weak.text and link in gotrue.links
    refused = lost.post("/recovery", shown=path, token_hash=link, password="no digits here")
    assert refused.status_code == 400 and "Password should contain" in text(refused)
    tokens = dict(re.findall(r'name="(access_token|refresh_token)" value="([^"]+)"', refused.text))
    assert lost.post("/recovery", shown=path, **tokens, password=NEW).location == "/login"
    assert ada.browser.get("/account").status_code == 302, "every session has ended"
    assert logs_in(cloud, ada.email, NEW)
    again = lost.post("/recovery", shown=path, token_hash=link, password=PASSWORD)
    assert again.status_code == 404 and "This link is not valid any more." in text(again)


def test_made_up_tokens_set_nothing(cloud: Site, ada: SimpleNamespace) -> None:
    answer = cloud.browser().post("/recovery", access_token="made.up.token", refresh_token="x", password=NEW)
    assert answer.status_code == 401 and logs_in(cloud, ada.email, PASSWORD)


def test_without_supabase_there_is_no_such_page(site: Site) -> None:
    assert site.browser().get("/recovery").status_code == 404
    assert "Forgot your password?" not in text(site.browser().get("/login"))
