"""Signing in through Supabase Auth, by API and by browser; the provider is a stub, see fake_gotrue.py."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from conftest import Api, Browser, Site
from fake_gotrue import API_KEY, FakeGoTrue

from webapp.auth import supabase_identity

PASSWORD = "correct horse 1"


def sign_up(cloud: Site, **words: str) -> Api:
    return cloud.sign_up(**({"password": PASSWORD} | words))


def log_in(cloud: Site, email: str, password: str = PASSWORD) -> tuple[int, dict]:
    answer = cloud.nobody().post("/auth/login", {"email": email, "password": password})
    return answer.status_code, answer.json


def code(answer: tuple[int, dict]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]


def test_signing_up_makes_an_admin_with_an_organization(cloud: Site) -> None:
    ada = sign_up(cloud, organization="Acme")
    assert (ada.user["role"], ada.organization["name"]) == ("admin", "Acme")
    assert ada.get("/me").json == {"user": ada.user, "organization": ada.organization}
    status, again = log_in(cloud, ada.email.upper())
    assert (status, again["organization"], again["user"]) == (200, ada.organization, ada.user)
    assert Api(cloud.app, again["access_token"]).get("/projects").status_code == 200


def test_tokens_are_traded_for_the_next_ones_once(cloud: Site, gotrue: FakeGoTrue) -> None:
    ada = sign_up(cloud)
    first = ada.post("/auth/refresh", {"refresh_token": ada.refresh_token}).json
    assert Api(cloud.app, first["access_token"]).get("/me").json["user"] == ada.user
    assert cloud.nobody().post("/auth/refresh", {"refresh_token": first["refresh_token"]}).status_code == 200
    old = cloud.nobody().post("/auth/refresh", {"refresh_token": ada.refresh_token})
    assert (old.status_code, old.json["error"]["code"]) == (401, "invalid_refresh_token")


def test_logging_out_ends_this_log_in_only(cloud: Site, gotrue: FakeGoTrue) -> None:
    assert sign_up(cloud).post("/auth/logout").status_code == 204
    assert gotrue.asked[-1] == "/logout?scope=local"


def test_an_address_that_must_be_confirmed_waits_for_it(cloud: Site, gotrue: FakeGoTrue) -> None:
    gotrue.confirm, email = True, cloud.email()
    words = {"email": email, "password": PASSWORD, "organization": "Acme later"}
    answer = cloud.nobody().post("/auth/signup", words)
    assert (answer.status_code, answer.json) == (
        202, {"user": {"id": answer.json["user"]["id"], "email": email}, "confirmation": "pending"},
    )  # fmt: skip
    assert unquote(gotrue.asked[-1]) == f"/signup?redirect_to={cloud.config.public_url}/login"
    assert code(log_in(cloud, email)) == (403, "email_not_confirmed")
    gotrue.confirm_address(email)
    assert log_in(cloud, email)[1]["organization"]["name"] == "Acme later"


def test_a_taken_address_is_told_only_where_nothing_has_to_be_confirmed(cloud: Site, gotrue: FakeGoTrue) -> None:
    ada = sign_up(cloud)
    words = {"email": ada.email, "password": PASSWORD}
    taken = cloud.nobody().post("/auth/signup", words)
    assert (taken.status_code, taken.json["error"]["code"]) == (409, "email_taken")
    gotrue.confirm = True
    assert cloud.nobody().post("/auth/signup", words).status_code == 202


def test_a_weak_password_is_refused_in_supabases_words(cloud: Site) -> None:
    answer = cloud.nobody().post("/auth/signup", {"email": cloud.email(), "password": "no digits here"})
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "weak_password")
    assert "0123456789" in answer.json["error"]["message"] and answer.json["error"]["param"] == "password"
    short = cloud.nobody().post("/auth/signup", {"email": cloud.email(), "password": "short 1"})
    assert short.json["error"]["code"] == "password_too_short"


def test_unknown_address_and_wrong_password_get_the_same_answer_as_without_supabase(site: Site, cloud: Site) -> None:
    ada = sign_up(cloud)
    wrong = log_in(cloud, ada.email, "wrong horse 1")
    assert wrong == log_in(cloud, cloud.email()) == log_in(site, site.email())
    assert wrong[0] == log_in(cloud, "", "")[0] == 401


def test_a_banned_person_is_out_at_once(cloud: Site, gotrue: FakeGoTrue) -> None:
    ada = sign_up(cloud)
    gotrue.ban(ada.email)
    assert ada.get("/me").status_code == 401
    assert code(log_in(cloud, ada.email)) == (403, "account_banned")
    assert ada.post("/auth/refresh", {"refresh_token": ada.refresh_token}).status_code == 401


@pytest.mark.parametrize("trouble", ["down", "html", "slow"])
def test_a_provider_that_is_away_is_503_for_the_api_and_a_page_for_people(
    cloud: Site, gotrue: FakeGoTrue, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = sign_up(cloud)
    monkeypatch.setattr(supabase_identity, "TIMEOUT", 0.3)
    gotrue.trouble = trouble
    assert code(log_in(cloud, ada.email)) == (503, "identity_unavailable")
    refreshed = ada.post("/auth/refresh", {"refresh_token": ada.refresh_token})
    assert (refreshed.status_code, refreshed.json["error"]["code"]) == (503, "identity_unavailable")
    page = cloud.browser().post("/login", email=ada.email, password=PASSWORD)
    assert page.status_code == 503 and "Signing in is not possible right now" in page.text


def test_nobody_listening_at_that_address_is_the_same(site: Site) -> None:
    gone = site.with_settings(supabase_url="http://127.0.0.1:9", supabase_publishable_key=API_KEY)
    assert code(log_in(gone, "ada@acme.test")) == (503, "identity_unavailable")


def test_a_wrong_publishable_key_is_our_trouble_and_not_the_persons(site: Site, gotrue: FakeGoTrue) -> None:
    wrong = site.with_settings(supabase_url=gotrue.url, supabase_publishable_key="sb_publishable_of_another_project")
    assert code(log_in(wrong, "ada@acme.test")) == (503, "identity_unavailable")


def test_a_person_who_never_logged_in_here_gets_an_organization_with_the_first_request(
    cloud: Site, gotrue: FakeGoTrue
) -> None:
    email = cloud.email()
    session = gotrue.signup({"email": email, "password": PASSWORD})
    somebody = Api(cloud.app, session["access_token"])
    assert somebody.get("/me").json["organization"]["name"] == "example.test"
    assert somebody.post("/projects", {"name": "first"}).status_code == 201


@pytest.mark.parametrize("name", ["\u3164", "x" * 201, "a\u200bb", 7])
def test_what_supabase_has_as_an_organization_and_is_no_name_keeps_nobody_out(
    cloud: Site, gotrue: FakeGoTrue, name: object
) -> None:
    email = cloud.email()
    gotrue.signup({"email": email, "password": PASSWORD, "data": {"organization": name}})
    assert log_in(cloud, email)[1]["organization"]["name"] == "example.test"


def test_a_removed_members_token_shows_nothing_and_makes_no_organization(cloud: Site) -> None:
    ada, email = sign_up(cloud, organization="Acme"), cloud.email()
    link = ada.post("/invitations", {"email": email, "role": "developer"}).json["link"]
    ada.post("/projects", {"name": "secret"})
    dev = sign_up(cloud, email=email, invitation=link.rsplit("/", 1)[1])
    assert [p["name"] for p in dev.get("/projects").json["data"]] == ["secret"]
    assert ada.call("DELETE", f"/members/{dev.user['id']}").status_code == 204
    for _ in range(2):
        assert dev.get("/projects").json["data"] == []
        assert dev.get("/me").json["organization"] is None
        assert dev.post("/projects", {"name": "mine"}).status_code == 403


def test_no_password_and_no_token_reaches_the_log(
    cloud: Site, gotrue: FakeGoTrue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ada = sign_up(cloud, password="canary password 1")
    log_in(cloud, ada.email, "canary wrong 1")
    gotrue.trouble = "down"
    log_in(cloud, ada.email, "canary password 1")
    assert not any(word in caplog.text for word in ("canary", ada.token, ada.refresh_token))


def signed_in(browser: Browser) -> bool:
    return "Log out" in browser.get("/", follow_redirects=True).text


def test_people_sign_up_confirm_and_log_in_with_a_browser(cloud: Site, gotrue: FakeGoTrue) -> None:
    gotrue.confirm, email, browser = True, cloud.email(), cloud.browser()
    page = browser.post("/signup", email=email, password=PASSWORD, organization="Acme & Co")
    assert page.status_code == 200 and "Confirm your e-mail address" in page.text and email in page.text
    assert not signed_in(browser)
    refused = browser.post("/login", email=email, password=PASSWORD)
    assert refused.status_code == 403 and "Confirm your e-mail address first" in refused.text
    gotrue.confirm_address(email)
    assert browser.post("/login", email=email, password=PASSWORD).status_code == 303
    assert signed_in(browser) and "Acme &amp; Co" in browser.get("/").text


def test_logging_out_of_a_browser_ends_the_log_in_at_supabase_too(cloud: Site, gotrue: FakeGoTrue) -> None:
    browser = cloud.browser()
    browser.post("/signup", email=cloud.email(), password=PASSWORD)
    assert browser.post("/logout", shown="/").status_code == 303
    assert gotrue.asked[-1] == "/logout?scope=local" and not signed_in(browser)


def test_logging_out_works_while_the_provider_is_down(cloud: Site, gotrue: FakeGoTrue) -> None:
    browser = cloud.browser()
    browser.post("/signup", email=cloud.email(), password=PASSWORD)
    gotrue.trouble = "down"
    assert browser.post("/logout", shown="/").status_code == 303
    gotrue.trouble = ""
    assert not signed_in(browser)


def test_resetting_a_password_is_left_to_supabase(cloud: Site) -> None:
    answer = cloud.app.test_cli_runner().invoke(args=["users", "reset", "ada@acme.test"])
    assert answer.exit_code == 1 and "Supabase keeps the passwords" in answer.output
