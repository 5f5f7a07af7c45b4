"""CSRF and open redirects: what other sites send changes nothing, and no link leads to another site."""

from __future__ import annotations

import pytest
from conftest import PASSWORD, Browser, Site

from webapp.auth.csrf import safe_path


@pytest.fixture
def ada(site: Site) -> Browser:
    browser = site.browser()
    browser.email = site.email()
    assert browser.post("/signup", email=browser.email, password=PASSWORD).status_code == 303
    return browser


def signed_in(browser: Browser) -> bool:
    return "Log out" in browser.get("/", follow_redirects=True).text


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "é"])
def test_a_form_without_our_token_changes_nothing(ada: Browser, token: str) -> None:
    answer = ada.post("/logout", csrf_token=token)
    assert answer.status_code == 403 and "Nothing was changed" in answer.text
    assert signed_in(ada)


def test_a_token_of_another_session_does_not_fit(site: Site, ada: Browser) -> None:
    eve = site.browser()
    eve.post("/signup", email=site.email(), password=PASSWORD)
    assert ada.post("/logout", csrf_token=eve.token("/settings")).status_code == 403
    assert ada.post("/logout", csrf_token=site.browser().token()).status_code == 403


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.test"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:8001"}, {"Origin": "https://127.0.0.1:8000"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
], ids=str)  # fmt: skip
def test_a_form_from_another_site_is_refused_even_with_a_token(ada: Browser, headers: dict[str, str]) -> None:
    assert ada.post("/logout", shown="/settings", headers=headers).status_code == 403
    assert signed_in(ada)


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}], ids=str
)
def test_a_form_of_ours_goes_through(ada: Browser, headers: dict[str, str]) -> None:
    assert ada.post("/logout", shown="/settings", headers=headers).status_code == 303


def test_the_token_may_come_in_a_header(ada: Browser) -> None:
    assert ada.post("/logout", csrf_token="", headers={"X-CSRF-Token": ada.token("/settings")}).status_code == 303


@pytest.mark.parametrize(
    "sent", ["http://[::1", "http://127.0.0.1:99999", "::", "/settings", "https://evil.test/settings"]
)
def test_a_referrer_that_is_none_of_ours_leads_to_the_start(site: Site, sent: str) -> None:
    answer = site.browser().post("/settings", shown="/login", name="x", csrf_token="", headers={"Referer": sent})
    assert (answer.status_code, answer.location) == (302, "/login?next=/&unsent=1")


def test_localhost_works_as_well_as_the_address_we_printed(site: Site) -> None:
    browser = site.browser("http://localhost:8000")
    assert browser.post("/signup", email=site.email(), password=PASSWORD).status_code == 303


def test_behind_a_proxy_the_public_url_counts(site: Site) -> None:
    public = site.with_settings(public_url="https://spend.acme.test").browser("https://gateway.internal:8000")
    headers = {"Origin": "https://spend.acme.test"}
    assert public.post("/signup", headers=headers, email=site.email(), password=PASSWORD).status_code == 303


@pytest.mark.parametrize("path", ["/login", "/signup"])
def test_nobody_can_be_logged_in_by_another_sites_form(site: Site, ada: Browser, path: str) -> None:
    stranger = site.browser()
    answer = stranger.post(path, csrf_token="", email=ada.email, password=PASSWORD)
    assert answer.status_code == 403
    assert not signed_in(stranger)


def test_who_logs_out_twice_is_not_told_that_nothing_was_changed(ada: Browser) -> None:
    token = ada.token("/settings")
    for _ in ("in", "out"):
        assert ada.post("/logout", shown="/login", csrf_token=token).location == "/login"


def test_a_session_that_ended_while_a_form_was_open_leads_to_the_log_in_and_back(site: Site, ada: Browser) -> None:
    token = ada.token("/settings")
    site.sql("delete from private.web_sessions")
    referrer = {"Referer": "http://127.0.0.1:8000/settings?x=1"}
    answer = ada.post("/settings", csrf_token=token, name="x", headers=referrer)
    assert answer.status_code == 302 and answer.location == "/login?next=/settings?x%3D1&unsent=1"
    ada.client.delete_cookie("spendai", domain="127.0.0.1")
    assert ada.post("/settings", csrf_token=token, name="x", headers=referrer).location == answer.location
    page, said = ada.get(answer.location), "so nothing was changed. Log in, then send the form again."
    assert said in page.text and 'name="unsent" value="1"' in page.text
    mistyped = ada.post("/login", email=ada.email, password="wrong", unsent="1")
    assert mistyped.status_code == 401 and said in mistyped.text
    assert said not in ada.get("/login?next=/settings").text
    back = ada.post("/login", email=ada.email, password=PASSWORD, next="/settings?x=1")
    assert (back.status_code, back.location) == (303, "/settings?x=1")


@pytest.mark.parametrize("path", ["/", "/calls", "/calls?model=gpt-4o&from=2026-01-01", "/projects/x", "/a//b"])
def test_a_path_of_ours_is_gone_on_to(path: str) -> None:
    assert safe_path(path) == path


EVIL = ["//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test", "/\t/evil.test", "/\n/evil.test", "https://evil.test",
    "https:evil.test", "javascript:alert(1)", "evil.test", "", None, "/ok\r\nSet-Cookie: x=1", "/\x00/evil.test",
    " //evil.test", "/a\\..\\evil", "@evil.test"]  # fmt: skip


@pytest.mark.parametrize("path", EVIL)
def test_anything_else_leads_to_the_start(path: str | None) -> None:
    assert safe_path(path) == "/"


@pytest.mark.parametrize("path", ["//evil.test", "/\\evil.test", "https://evil.test", "/\t/evil.test"])
def test_no_log_in_leads_to_another_site(site: Site, ada: Browser, path: str) -> None:
    assert site.browser().post("/login", email=ada.email, password=PASSWORD, next=path).location == "/"
    assert ada.get("/login", query_string={"next": path}).location == "/"


def test_a_stranger_comes_back_to_the_page_they_wanted(site: Site) -> None:
    answer = site.browser().get("/calls?model=gpt-4o&from=2026-01-01")
    assert answer.status_code == 302
    assert "next=/calls?model%3Dgpt-4o%26from%3D2026-01-01" in answer.location


@pytest.mark.parametrize("path", ["/login", "/", "/api/v1/me", "/nothing-here", "/healthz"])
def test_every_answer_tells_the_browser_to_trust_nothing_foreign(site: Site, path: str) -> None:
    headers = site.browser().get(path).headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers  # plain http


def test_a_form_field_with_a_nul_or_a_form_too_large_is_refused(site: Site) -> None:
    assert site.browser().post("/login", email="a\0b@acme.test", password="x").status_code == 400
    assert site.browser().post("/login", email="x" * 70_000, password="x").status_code == 413


def test_a_form_of_very_many_fields_is_not_parsed(site: Site) -> None:
    """Parsing a million short ones takes a worker more than a second, in which no call goes on."""
    ada, words = site.browser(), {"email": "ada@acme.test", "password": "wrong"}
    fields = [ada.post("/login", **words, **{f"f{n}": "" for n in range(count)}).status_code for count in (490, 500)]
    assert fields == [401, 413]
