"""Keys in a browser: found, changed, rotated; and what people, end users and teams cost, a few clicks from Spend."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from everything import cookies_of
from playwright.sync_api import Browser, Page, expect
from spending import another_key, days_ago, spent
from stack import Stack

from webapp.auth.passwords import hashed
from webapp.secrets.proxy_keys import new_key

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def kim(site: Stack, chromium: Browser) -> SimpleNamespace:
    """Kim's organization with two projects, a rotated key, end users and tags; and Kim's cookies and a developer's."""
    people = site.people.copy()
    people.found("kim", "Keyring")
    people.sign_up("lee", "lee@keyring.test")
    with people.as_("kim"):
        people.conn.execute("select app.invitation_create('lee@keyring.test', 'developer', %s)", [b"k" * 32])
    with people.as_("lee"):
        people.conn.execute("select app.invitation_accept(%s)", [b"k" * 32])
    another_key(people, "batches", "kim")
    new = new_key()
    with people.as_("kim"):
        old = people.keys["kim"].id
        people.one("select * from app.key_rotate(%s, %s, %s, %s, 86400)", old, new.id, new.prefix, new.hash)
    at = days_ago(1)
    spent(people, "kim", at=at, end_user="bo", tags={"team": "search"})
    spent(people, "kim", at=at, end_user="al", tags={"team": "shop"}, api_key_id=str(new.id))
    spent(people, "kim", at=at, api_key_id=str(new.id))
    states = {}
    for who in ("kim", "lee"):
        site.conn.execute("select local_auth.set_password(%s, %s)", [people.ids[who], hashed(PASSWORD)])
        states[who] = cookies_of(chromium, site.url, f"{who}@keyring.test", PASSWORD)
    return SimpleNamespace(states=states, people=people, old=old, new=new)


@pytest.fixture
def page(open_page: Callable[..., Page], kim: SimpleNamespace) -> Page:
    return open_page(storage_state=kim.states["kim"], reduced_motion="reduce")


def test_a_key_is_found_renamed_and_read_with_its_generations(
    kim: SimpleNamespace, page: Page, accessible: Callable[..., None]
) -> None:
    page.goto("/keys")
    expect(page.locator("#key-project")).to_have_value("")
    page.get_by_label("Name, note or key").fill(kim.new.prefix)
    page.get_by_label("Name, note or key").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    accessible(page)
    page.get_by_role("link", name="main", exact=True).click()
    expect(page.get_by_role("heading", name="main")).to_be_visible()
    generations = page.get_by_role("table", name="Generations")
    expect(generations.locator("tbody tr")).to_have_count(2)
    expect(generations.locator("tfoot")).to_contain_text("All 2")
    expect(generations.locator("tfoot")).to_contain_text("$0.0014")
    page.get_by_label("Name").fill("nightly")
    page.get_by_label("Note").fill("the batch on host 7, ask Bo")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Key changed.")).to_be_visible()
    expect(page.get_by_role("heading", name="nightly")).to_be_visible()
    accessible(page)
    page.set_viewport_size({"width": 420, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 420
    page.emulate_media(color_scheme="dark")
    accessible(page, rule="color-contrast")


def test_on_a_telephone_the_keys_with_their_spend_come_before_forms_and_filters(
    kim: SimpleNamespace, page: Page, accessible: Callable[..., None]
) -> None:
    page.set_viewport_size({"width": 420, "height": 800})
    page.goto("/keys")
    assert page.locator(".band").bounding_box()["height"] < 32, "one line"
    spend = page.locator("tbody tr", has_text=kim.new.prefix).locator("td").first.bounding_box()
    assert spend["x"] + spend["width"] <= 420 and spend["y"] + spend["height"] <= 800
    page.locator(".band summary").press("Enter")
    expect(page.get_by_role("link", name="Store one")).to_be_visible()
    page.locator("summary", has_text="Create a key").press("Enter")
    expect(page.get_by_role("button", name="Create key")).to_be_visible()
    page.get_by_text("Filters", exact=True).click()
    page.get_by_text("Used or not").click()
    page.get_by_label("Without a call in this period").check()
    accessible(page)
    page.get_by_role("button", name="Apply").nth(-1).click()
    expect(page.locator("tbody tr", has_text="batches")).to_have_count(1)
    expect(page.locator("tbody tr", has_text=kim.new.prefix)).to_have_count(0)
    expect(page.get_by_text("Filters (1)")).to_be_visible()


def test_who_made_a_key_and_what_it_cost_since_is_three_clicks_from_spend(kim: SimpleNamespace, page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Keys", exact=True).click()
    row = page.locator("tbody tr", has_text=kim.new.prefix)
    row.get_by_role("link").first.click()
    expect(page.locator(".facts")).to_contain_text("kim@keyring.test")
    expect(page.locator(".stats")).to_contain_text("Since it was made$0.0014")
    page.get_by_role("link", name="kim@keyring.test", exact=True).click()
    expect(page.locator(".stats")).to_contain_text("Spend of their keys$0.0014")


def test_what_one_end_user_and_one_team_cost_is_three_clicks_from_spend(
    kim: SimpleNamespace, page: Page, accessible: Callable[..., None]
) -> None:
    page.goto("/")
    page.get_by_role("link", name="Team", exact=True).click()
    page.get_by_role("link", name="End users").click()
    expect(page.locator("tbody tr", has_text="bo")).to_contain_text("$0.00045")
    expect(page.locator("tbody tr", has_text="no end user")).to_contain_text("$0.00045")
    accessible(page)
    page.get_by_role("link", name="Team", exact=True).first.click()
    page.get_by_role("link", name="Tags").click()
    page.get_by_role("link", name="team", exact=True).click()
    for value in ("search", "shop", "no team"):
        expect(page.locator("tbody tr", has_text=value)).to_contain_text("$0.00045")
    accessible(page)
    page.get_by_role("link", name="shop").click()
    expect(page.get_by_role("heading", name="Spend", exact=True)).to_be_visible()
    expect(page.locator(".stats")).to_contain_text("$0.00045")


def test_a_developer_reads_whom_to_ask(
    kim: SimpleNamespace, open_page: Callable[..., Page], accessible: Callable[..., None]
) -> None:
    page = open_page(storage_state=kim.states["lee"])
    for path in ("/keys", f"/keys/{kim.old}", "/team"):
        page.goto(path)
        expect(page.get_by_text("ask kim@keyring.test")).to_be_visible()
        expect(page.get_by_role("link", name="Revoke")).to_have_count(0)
    accessible(page)
