"""Browser sessions of people whom Supabase Auth signed in: tokens sealed, renewed once, kept while it is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
import requests
from conftest import Browser, Site, at_once
from fake_gotrue import API_KEY, FakeGoTrue
from stack import Stack

from webapp import db
from webapp.auth import outside
from webapp.postgres.migrations import migrate
from webapp.secrets.hashing import sha256_of

PASSWORD = "correct horse 1"
REFRESH = "/token?grant_type=refresh_token"


@pytest.fixture
def ada(cloud: Site) -> Browser:
    """A browser that is signed in."""
    browser = cloud.browser()
    browser.email = cloud.email()
    assert browser.post("/signup", email=browser.email, password=PASSWORD).status_code == 303
    return browser


def age(cloud: Site, browser: Browser, left: float) -> None:
    """Give the access token this many seconds to live."""
    with cloud.app.app_context():
        kept = outside.unseal(browser.cookie(), sealed(cloud, browser))
        seconds = outside.Tokens(kept.access_token, kept.refresh_token, left)
        tokens = outside.seal(browser.cookie(), seconds)
    query = "update private.web_sessions set tokens = %s, renewing_until = null where id_hash = %s"
    cloud.sql(query, tokens, sha256_of(browser.cookie()))


def sealed(cloud: Site, browser: Browser) -> bytes | None:
    rows = cloud.sql("select tokens from private.web_sessions where id_hash = %s", sha256_of(browser.cookie() or ""))
    return rows[0][0] if rows else None


def test_tokens_are_stored_sealed_and_open_in_their_own_row_only(cloud: Site, ada: Browser, gotrue: FakeGoTrue) -> None:
    stored = sealed(cloud, ada)
    with cloud.app.app_context():
        kept = outside.unseal(ada.cookie(), stored)
        assert kept.refresh_token in gotrue.sessions and kept.refresh_token.encode() not in stored
        assert outside.unseal("another session", stored) is None


def test_while_the_token_is_good_the_provider_is_not_asked(cloud: Site, ada: Browser, gotrue: FakeGoTrue) -> None:
    asked = len(gotrue.asked)
    assert [ada.get("/").status_code for _ in range(3)] == [200] * 3
    assert len(gotrue.asked) == asked


def test_shortly_before_its_end_it_is_renewed_once(cloud: Site, ada: Browser, gotrue: FakeGoTrue) -> None:
    for left in (30, -3600):  # somebody who was away comes back to a token that ran out long ago
        age(cloud, ada, left)
        before = gotrue.count(REFRESH)
        assert [ada.get("/").status_code for _ in range(3)] == [200] * 3
        assert gotrue.count(REFRESH) == before + 1


@pytest.mark.parametrize("left", [30, -1])
def test_12_requests_at_once_renew_it_once(cloud: Site, ada: Browser, gotrue: FakeGoTrue, left: int) -> None:
    age(cloud, ada, left)
    gotrue.trouble, cookie = "slow", ada.cookie()

    def visit() -> int:
        browser = cloud.browser()
        browser.client.set_cookie("spendai", cookie, domain="127.0.0.1")
        return browser.get("/").status_code

    with ThreadPoolExecutor(12) as pool:
        visits = [pool.submit(visit) for _ in range(12)]
        Stack.wait_for(lambda: gotrue.count(REFRESH))
        gotrue.released.set()
        assert [visit.result() for visit in visits] == [200] * 12
    assert gotrue.count(REFRESH) == 1


def test_a_flash_message_beside_a_renewal_does_not_bring_old_tokens_back(
    cloud: Site, ada: Browser, gotrue: FakeGoTrue
) -> None:
    old = sealed(cloud, ada)
    age(cloud, ada, 30)
    assert ada.get("/projects").status_code == 200
    new = sealed(cloud, ada)
    assert ada.post("/projects", name="flashes").status_code in (302, 303)
    assert sealed(cloud, ada) == new != old


def test_a_session_that_the_provider_ended_is_over_here_too(cloud: Site, ada: Browser, gotrue: FakeGoTrue) -> None:
    gotrue.sessions.clear()
    age(cloud, ada, 30)
    page = ada.get("/projects")
    assert page.status_code == 302 and "/login" in page.headers["Location"]
    assert sealed(cloud, ada) is None
    assert ada.post("/login", email=ada.email, password=PASSWORD).status_code == 303
    assert ada.get("/projects").status_code == 200


def test_while_the_provider_is_down_a_session_lives_until_its_token_really_ends(
    cloud: Site, ada: Browser, gotrue: FakeGoTrue
) -> None:
    gotrue.trouble = "down"
    age(cloud, ada, 30)
    assert [ada.get("/").status_code for _ in range(5)] == [200] * 5
    assert gotrue.count(REFRESH) == 1  # asked now and then, not for every page
    age(cloud, ada, -1)
    page = ada.get("/")
    assert page.status_code == 503 and "Signing in is not possible right now" in page.text
    gotrue.trouble = ""
    age(cloud, ada, -1)
    assert ada.get("/").status_code == 200


def test_too_many_renewals_do_not_end_a_session(cloud: Site, ada: Browser, gotrue: FakeGoTrue) -> None:
    gotrue.trouble = "busy"
    age(cloud, ada, 30)
    assert ada.get("/projects").status_code == 200 and gotrue.count(REFRESH) == 1
    assert sealed(cloud, ada) is not None


def test_a_banned_person_is_out_at_the_next_page(cloud: Site, ada: Browser, gotrue: FakeGoTrue) -> None:
    gotrue.ban(ada.email)
    assert ada.get("/projects").status_code == 302


def test_a_gateway_that_cannot_open_the_tokens_lets_nobody_in_and_breaks_nothing(cloud: Site, ada: Browser) -> None:
    other = cloud.with_settings(key_ring={2: b"x" * 32})
    browser = other.browser()
    browser.client.set_cookie("spendai", ada.cookie(), domain="127.0.0.1")
    assert browser.get("/projects").status_code == 302
    assert ada.get("/projects").status_code == 200


@contextmanager
def gateway(owner: str, admin: str, auth: FakeGoTrue) -> Iterator[Stack]:
    """A gateway of its own, with its own home, in front of a database that others use too."""
    stack = Stack(owner, admin, WORKERS="1", SUPABASE_URL=auth.url, SUPABASE_PUBLISHABLE_KEY=API_KEY)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
        stack.home.cleanup()


def test_two_gateways_share_a_session_and_renew_it_once(
    stack_dsns: Callable[[str], tuple[str, str]], site: Site
) -> None:
    owner, admin = stack_dsns("spendai_two_gateways")
    migrate(owner, passwords=db.passwords(site.config))
    with FakeGoTrue(admin) as auth, gateway(owner, admin, auth) as one, gateway(owner, admin, auth) as two:
        auth.lifetime = 30  # so it is time to renew from the start
        form = requests.get(one.url + "/signup", timeout=10)
        token = form.text.split('name="csrf_token" value="')[1].split('"')[0]
        words = {"csrf_token": token, "email": "ada@acme.test", "password": PASSWORD, "organization": "Acme"}
        done = requests.post(one.url + "/signup", words, cookies=form.cookies, allow_redirects=False, timeout=10)
        assert done.status_code == 303, done.text
        auth.lifetime, auth.trouble = 3600, "slow"
        cookies = done.cookies.get_dict()
        with psycopg.connect(admin) as conn:
            assert conn.execute("select count(*) from private.web_sessions where tokens is not null").fetchone() == (1,)

        def visit(n: int) -> int:
            url = (one, two)[n % 2].url
            return requests.get(url + "/projects", cookies=cookies, allow_redirects=False, timeout=20).status_code

        with ThreadPoolExecutor(12) as pool:
            visits = [pool.submit(visit, n) for n in range(12)]
            Stack.wait_for(lambda: auth.count(REFRESH))
            auth.released.set()
            assert [found.result() for found in visits] == [200] * 12
        assert at_once(*[lambda n=n: visit(n) for n in range(4)]) == [200] * 4
        assert auth.count(REFRESH) == 1
