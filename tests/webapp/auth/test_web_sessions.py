"""Browser sessions: the flags of the cookie, when rows are written, and how a session ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from conftest import PASSWORD, Browser, Site
from flask import flash, session

from webapp.secrets.hashing import sha256_of


@pytest.fixture
def ada(site: Site) -> Browser:
    """A browser that is signed in."""
    browser = site.browser()
    browser.email = site.email()
    assert browser.post("/signup", email=browser.email, password=PASSWORD).status_code == 303
    return browser


def row(site: Site, browser: Browser) -> tuple[datetime, datetime] | None:
    """expires_at and seen_at of the browser's session."""
    found = site.sql(
        "select expires_at, seen_at from private.web_sessions where id_hash = %s", sha256_of(browser.cookie() or "")
    )
    return found[0] if found else None


def signed_in(browser: Browser) -> bool:
    return "Log out" in browser.get("/", follow_redirects=True).text


def test_the_cookie_is_for_us_alone(site: Site) -> None:
    answer = site.browser().post("/signup", email=site.email(), password=PASSWORD)
    name, *flags = (part.strip() for part in answer.headers["Set-Cookie"].split(";"))
    assert name.startswith("spendai=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=1209600"} <= set(flags)
    assert not any(flag.startswith(("Secure", "Domain")) for flag in flags)  # http: a browser would drop it
    assert len(answer.headers.getlist("Set-Cookie")) == 1


def test_over_https_no_neighbour_domain_can_plant_the_cookie(site: Site) -> None:
    safe = site.with_settings(public_url="https://spend.acme.test")
    browser = safe.browser("https://spend.acme.test")
    answer = browser.post("/signup", email=site.email(), password=PASSWORD)
    assert answer.headers["Set-Cookie"].startswith("__Host-spendai=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {
        f.strip() for f in answer.headers["Set-Cookie"].split(";")
    }
    assert "Domain" not in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert signed_in(browser)


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/me", "/static/app.css", "/healthz", "/readyz"])
def test_where_no_session_is_needed_none_is_read_or_made(site: Site, ada: Browser, path: str) -> None:
    assert "Set-Cookie" not in site.browser().get(path).headers
    site.sql("update private.web_sessions set expires_at = now() + interval '1 day'")  # old enough to be prolonged
    assert "Set-Cookie" not in ada.get(path).headers


def test_looking_at_a_form_writes_nothing_to_the_database(site: Site) -> None:
    before = site.sql("select count(*) from private.web_sessions")
    browser = site.browser()
    assert browser.token("/signup") == browser.token("/login")  # one token per session
    assert browser.cookie() and row(site, browser) is None
    assert site.sql("select count(*) from private.web_sessions") == before


def test_the_database_knows_the_cookie_only_by_its_hash(site: Site, ada: Browser) -> None:
    dump = site.sql("select s::text from private.web_sessions s")
    assert row(site, ada) is not None
    assert not any(ada.cookie() in text for (text,) in dump)


def test_logging_in_makes_a_new_id(site: Site, ada: Browser) -> None:
    planted = site.browser()
    planted.client.set_cookie("spendai", "A" * 43, domain="127.0.0.1")
    planted.token()
    assert planted.post("/login", email=ada.email, password=PASSWORD).status_code == 303
    assert planted.cookie() != "A" * 43
    attacker = site.browser()
    attacker.client.set_cookie("spendai", "A" * 43, domain="127.0.0.1")
    assert signed_in(planted) and not signed_in(attacker)


def test_logging_in_again_ends_the_session_before(site: Site, ada: Browser) -> None:
    before = ada.cookie()
    ada.post("/login", shown="/settings", email=ada.email, password=PASSWORD)
    assert ada.cookie() != before
    assert site.sql("select count(*) from private.web_sessions where id_hash = %s", sha256_of(before)) == [(0,)]


def test_logging_out_ends_the_session_not_just_the_cookie(site: Site, ada: Browser) -> None:
    kept = ada.cookie()
    answer = ada.post("/logout", shown="/settings")
    assert answer.status_code == 303 and "Max-Age=0" in answer.headers["Set-Cookie"]
    thief = site.browser()
    thief.client.set_cookie("spendai", kept, domain="127.0.0.1")
    assert not signed_in(ada) and not signed_in(thief)


def test_log_out_takes_a_post(ada: Browser) -> None:
    assert ada.get("/logout").status_code == 405
    assert signed_in(ada)


def test_pages_of_signed_in_people_are_not_kept_by_the_browser(ada: Browser) -> None:
    assert ada.get("/").headers["Cache-Control"] == "no-store"


def test_a_session_in_use_lives_on_but_is_written_at_most_once_an_hour(site: Site, ada: Browser) -> None:
    first = row(site, ada)
    assert "Set-Cookie" not in ada.get("/").headers
    assert row(site, ada) == first
    hash_ = sha256_of(ada.cookie())
    site.sql(
        "update private.web_sessions set expires_at = now() + interval '13 days 22 hours' where id_hash = %s", hash_
    )
    assert "Max-Age=1209600" in ada.get("/").headers["Set-Cookie"]
    assert row(site, ada)[0] > datetime.now(UTC) + timedelta(days=13, hours=23, minutes=50)
    assert "Set-Cookie" not in ada.get("/").headers


def test_a_session_nobody_used_for_14_days_is_over(site: Site, ada: Browser) -> None:
    site.sql(
        "update private.web_sessions set expires_at = now() - interval '1 s' where id_hash = %s",
        sha256_of(ada.cookie()),
    )
    assert not signed_in(ada)


@pytest.mark.parametrize("change", ["banned_until = now() + interval '1 day'", "deleted_at = now()"])
def test_a_person_who_may_not_sign_in_any_more_is_out_at_the_next_request(
    site: Site, ada: Browser, change: str
) -> None:
    assert signed_in(ada)
    site.sql(f"update auth.users set {change} where email = %s", ada.email)
    assert not signed_in(ada)


def test_a_request_that_was_under_way_does_not_bring_an_ended_session_back(site: Site, ada: Browser) -> None:
    with site.app.test_request_context("/", headers={"Cookie": f"spendai={ada.cookie()}"}):
        assert session.person.email == ada.email
        flash("late")  # to be written at the end of this request …
        site.sql("delete from private.web_sessions where id_hash = %s", sha256_of(ada.cookie()))  # … but she logged out
        session.write()
    assert row(site, ada) is None


def test_a_message_for_a_stranger_is_kept_for_an_hour_and_shown_once(site: Site) -> None:
    browser = site.browser()
    browser.token()
    with site.app.test_request_context("/", headers={"Cookie": f"spendai={browser.cookie()}"}):
        flash("<b>hello</b>", "good")
        session.write()
    assert row(site, browser)[0] < datetime.now(UTC) + timedelta(minutes=61)
    assert "&lt;b&gt;hello&lt;/b&gt;" in browser.get("/login").text
    assert "hello" not in browser.get("/login").text


@pytest.mark.parametrize("cookie", ["", "x", "é" * 10, "A" * 43 + "=", "A" * 4000, "../../../etc/passwd"])
def test_a_cookie_that_is_none_of_ours_is_a_stranger(site: Site, cookie: str) -> None:
    answer = site.app.test_client().get("/login", headers={"Cookie": f"spendai={cookie}"})
    assert answer.status_code == 200


def test_no_other_cookie_signs_anybody_in(site: Site) -> None:
    answer = site.app.test_client().get("/settings", headers={"Cookie": "remember_token=x|y; session=x.y.z; user_id=x"})
    assert answer.status_code == 302 and answer.location.startswith("/login")


def test_expired_sessions_are_swept(site: Site, ada: Browser) -> None:
    site.sql(
        "update private.web_sessions set expires_at = now() - interval '1 s' where id_hash = %s",
        sha256_of(ada.cookie()),
    )
    site.browser().post("/signup", email=site.email(), password=PASSWORD)
    assert row(site, ada) is None


def test_two_people_in_two_browsers_never_mix(site: Site, ada: Browser) -> None:
    eve, address = site.browser(), site.email("eve")
    eve.post("/signup", email=address, password=PASSWORD)
    assert address in eve.get("/").text and address not in ada.get("/").text
