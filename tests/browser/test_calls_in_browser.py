"""Calls in a real browser: on a telephone and on a wide screen, heads that stay, columns, links and the way back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from everything import cookies_of
from ledgers import add_call
from playwright.sync_api import Browser, Page, expect
from spending import spent, uuid7
from stack import Stack

from webapp.auth.passwords import hashed

PASSWORD = "correct horse"
TELEPHONE, USUAL, WIDE = ({"width": width, "height": 800} for width in (420, 1440, 1920))
WIDTH = "document.documentElement.scrollWidth"
HEADS = "[...document.querySelectorAll('thead th')].filter(e => e.offsetWidth).map(e => e.innerText.replace(/ .$/, ''))"
ON_TOP = """head => {
    const { x, y } = head.getBoundingClientRect();
    return document.elementFromPoint(x + 20, y + 8).closest("th") === head;
}"""
ALWAYS = ["Time (UTC)", "Cost", "Model", "Project", "Key", "Input", "Cached", "Output", "ms", "Status"]


@pytest.fixture(scope="module")
def calls(site: Stack) -> SimpleNamespace:
    """Eve's calls: sixty, of which one yesterday is the dearest and one has no price. No other test looks at Eve's."""
    people, now = site.people, datetime.now(UTC)
    site.conn.execute("select local_auth.set_password(%s, %s)", [people.ids["eve"], hashed(PASSWORD)])
    yesterday = now - timedelta(days=1)
    for n in range(58):
        spent(people, "eve", at=yesterday - timedelta(minutes=n) if n % 2 else now, end_user=f"user-{n}")
    dear = add_call(
        people, "eve", yesterday, id=uuid7(yesterday), cost=9, tags={"team": "web"}, end_user="the-dear-one"
    )
    tags = {"team": "web", "feature": "answers", "cost-center": "4711"}
    unpriced = spent(people, "eve", model="gpt-99", model_requested="gpt-99", tags=tags)
    return SimpleNamespace(dear=dear, day=yesterday.date(), unpriced=unpriced)


@pytest.fixture(scope="module")
def signed_in(calls: SimpleNamespace, chromium: Browser, site: Stack) -> dict[str, Any]:
    """Eve's cookies, for open_page(storage_state=…)."""
    return cookies_of(chromium, site.url, "eve@evil.test", PASSWORD)


@pytest.fixture
def page(open_page: Callable[..., Page], signed_in: dict[str, Any]) -> Page:
    return open_page(storage_state=signed_in, viewport=USUAL, reduced_motion="reduce")


def test_a_wider_window_shows_more_and_a_telephone_the_cost_first(page: Page, accessible: Callable[..., None]) -> None:
    page.goto("/calls")
    shown = {}
    for size in (TELEPHONE, USUAL, WIDE):
        page.set_viewport_size(size)
        shown[size["width"]] = page.evaluate(HEADS)
        assert page.evaluate(WIDTH) == size["width"]
        if size is TELEPHONE:
            cost = page.locator("tbody tr").first.locator("td").first.bounding_box()
            assert cost["x"] + cost["width"] <= 300, "the cost is on the first screen"
        else:
            assert page.locator(".scroll").evaluate("e => e.scrollWidth - e.clientWidth") == 0
    assert shown[420] == ALWAYS
    assert shown[1440] == [*ALWAYS[:5], "End user", "Tags", *ALWAYS[5:]]
    assert [head for head in shown[1920] if head not in shown[1440]] == ["Reasoning", "Endpoint", "Tier"]
    accessible(page)
    page.emulate_media(color_scheme="dark")
    accessible(page, rule="color-contrast")


@pytest.mark.parametrize("size", [USUAL, TELEPHONE])
def test_heads_stay_in_sight_while_the_table_scrolls(page: Page, size: dict[str, int]) -> None:
    page.set_viewport_size(size)
    page.goto("/calls")
    page.locator("tbody tr").last.evaluate("row => row.scrollIntoView({ block: 'end' })")
    head, last = page.locator("thead th").first.bounding_box(), page.locator("tbody tr").last.bounding_box()
    assert 0 <= head["y"] < last["y"] < size["height"]
    assert page.locator("thead th").first.evaluate(ON_TOP), "no row lies above the head"


def test_columns_are_chosen_with_the_keyboard_and_kept(page: Page) -> None:
    page.goto("/calls?period=7")
    page.get_by_text("Columns", exact=True).focus()
    page.keyboard.press("Enter")
    form = page.get_by_role("form", name="Columns")
    for box in form.get_by_role("checkbox").all():
        box.uncheck()
    form.get_by_label("Call id").check()
    form.get_by_role("button", name="Apply").press("Enter")
    expect(page.locator("thead th")).to_have_count(3)
    assert "period=7" in page.url
    page.goto("/calls")
    assert page.evaluate(HEADS) == ["Time (UTC)", "Cost", "Call id"]
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("link", name="Usual columns").click()
    expect(page.locator("thead th")).to_have_count(15)


def test_all_tags_of_a_call_are_read_in_the_list_with_the_keyboard(page: Page, accessible: Callable[..., None]) -> None:
    page.goto("/calls?model=gpt-99")
    folded = page.locator("td details > summary", has_text="cost-center=4711")
    folded.focus()
    page.keyboard.press("Enter")
    accessible(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="feature=answers")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".chip", has_text="tag: feature=answers")).to_be_visible()


@pytest.mark.parametrize("width", [320, 420, 1180])
def test_the_list_of_columns_and_the_field_for_an_id_have_room(
    page: Page, accessible: Callable[..., None], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"/calls?from=2025-12-31&to={datetime.now(UTC).date()}")  # days of two years: long words above the links
    page.locator(".columns > summary").click()
    accessible(page)
    card = page.locator(".card", has=page.locator("#find-id")).bounding_box()
    button = page.get_by_role("button", name="Find").bounding_box()
    assert card and button and button["x"] + button["width"] < card["x"] + card["width"]


def test_a_cell_filters_a_call_opens_and_the_way_back_leads_to_the_same_list(page: Page) -> None:
    page.goto("/calls?period=7&sort=cost")
    expect(page.locator("#sum-title")).to_contain_text("for 60 calls")
    page.get_by_role("link", name="the-dear-one").click()
    expect(page.locator("#sum-title")).to_contain_text("$9.00 for 1 call,")
    address = page.url
    assert "period=7" in address and "end_user=the-dear-one" in address
    page.locator("tbody th a").click()
    expect(page.get_by_role("heading", name=re.compile("Cost"))).to_contain_text("$9.00")
    page.locator("main").get_by_role("link", name="Calls", exact=True).click()
    assert page.url == address


def test_a_call_is_found_by_the_beginning_of_its_id(page: Page, calls: SimpleNamespace) -> None:
    page.goto("/calls")
    box = page.get_by_role("searchbox", name="Id of a call")
    box.fill("nonsense")
    box.press("Enter")
    expect(page.locator("#id-note")).to_contain_text("No such call")
    box = page.get_by_role("searchbox", name="Id of a call")
    expect(box).to_have_value("nonsense")
    box.fill(str(calls.unpriced)[:-4])
    box.press("Enter")
    expect(page.get_by_role("heading", name="gpt-99")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the id of the call").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == str(calls.unpriced)
    page.get_by_role("link", name="Set a price").click()
    expect(page.locator("#model")).to_have_value("gpt-99")


def test_the_dearest_calls_of_a_day_are_two_clicks_from_its_spend(page: Page, calls: SimpleNamespace) -> None:
    page.goto(f"/?from={calls.day}&to={calls.day}")
    page.locator(".stats").get_by_role("link").first.click()
    page.get_by_role("link", name="Cost", exact=True).click()
    expect(page.locator("tbody tr").first).to_contain_text("$9.00")
    assert f"/calls/{calls.dear}" in page.locator("tbody th a").first.get_attribute("href")
