"""Every page in a real browser: light, dark and narrow, with calls to show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from everything import SIGNED_OUT, addresses, cookies_of
from ledgers import add_call
from openai_books import DAY, WORKED, fetch
from openai_keys import keys_of_openai
from playwright.sync_api import Browser, Page, expect
from spending import spent
from stack import Stack

from webapp.auth.passwords import hashed
from webapp.config import ROOT

PASSWORD = "correct horse"
STATIC = ROOT / "webapp/static"
TELEPHONE, WIDE = {"width": 420, "height": 800}, {"width": 1180, "height": 800}
WIDTH = "document.documentElement.scrollWidth"
CHART = "[data-figure]"
GONE = ("/nowhere", SIGNED_OUT["invitation-gone"], SIGNED_OUT["password-gone"])
BAR = "document.querySelector('[data-figure=spend-figure] .bars .point path').style.fill"


@pytest.fixture(scope="module")
def acme(site: Stack) -> SimpleNamespace:
    """Ada's organization after forty days of calls; ids for addresses."""
    people = site.people
    site.conn.execute("select local_auth.set_password(%s, %s)", [people.ids["ada"], hashed(PASSWORD)])
    calls = [
        spent(people, at=datetime.now(UTC) - timedelta(days=day, minutes=1), model=model)
        for day in range(40)
        for model in ("gpt-4o", "gpt-4o-mini")
    ]
    fetch(people, {DAY: WORKED})  # no link: in sandbox books nothing of it is compared
    keys_of_openai(people, key_laptop="tooP", key_proxy="xyzA")
    ids = {
        "books_day": DAY,
        "project": people.projects["ada"],
        "key": people.keys["ada"].id,
        "member": people.ids["dev"],
        "password": "/password/link",
    }
    site.conn.execute("select app.password_reset_create('ada@acme.test', sha256('link'))")
    return SimpleNamespace(call=calls[0], session=add_session(site), **ids)


def add_session(site: Stack) -> UUID:
    """A WebSocket session of Ada's key with three calls, one of them without a known cost; and one that is lost."""
    query = """insert into public.websocket_sessions (id, org_id, project_id, api_key_id, upstream, endpoint,
            started_at, deadline_at, model, ended_at, close_code, closed_by)
        select gen_random_uuid(), k.org_id, k.project_id, k.id, 'sandbox', '/v1/realtime', %s, %s,
            'gpt-realtime-2.1', %s, %s, %s from public.api_keys k where k.id = %s returning id"""
    began, key = datetime.now(UTC) - timedelta(days=100), site.people.keys["ada"].id  # in no chart of these tests
    site.conn.execute("select app.ensure_partition(%s)", [began.date()])
    site.people.one(query, began - timedelta(days=1), began, None, None, None, key)
    session = site.people.one(query, began, began, began + timedelta(hours=1), 1012, "spendai", key)["id"]
    for n, cost in enumerate((Decimal("0.0123"), Decimal("0.00045"), None)):
        known = {"cost": cost, "cost_status": "no_usage" if cost is None else "priced"}
        add_call(site.people, "ada", began + timedelta(minutes=n), session_id=session, **known)
    return session


@pytest.fixture(scope="module")
def signed_in(acme: SimpleNamespace, chromium: Browser, site: Stack) -> dict[str, Any]:
    """Ada's cookies, after she has logged in through the form; for open_page(storage_state=…)."""
    return cookies_of(chromium, site.url, "ada@acme.test", PASSWORD)


@pytest.fixture
def page(open_page: Callable[..., Page], signed_in: dict[str, Any]) -> Page:
    """Ada's browser, in which she is logged in."""
    return open_page(storage_state=signed_in)


def spend(page: Page) -> Page:
    """The page, with the first page of the product in it."""
    page.goto("/")
    expect(page.get_by_role("heading", name="Spend", exact=True)).to_be_visible()
    return page


def backgrounds(page: Page, selector: str) -> list[str]:
    return page.eval_on_selector_all(selector, "all => all.map(e => getComputedStyle(e).backgroundColor)")


def bar(page: Page) -> str:
    """Colour of the chart's first bar, as soon as it is drawn."""
    page.wait_for_selector("[data-figure=spend-figure] .bars .point path")
    return page.evaluate(BAR)


def wait_for_bar(page: Page, wanted: Callable[[str], bool]) -> str:
    """The first bar's colour once it is as wanted; asked from outside, because the page's policy forbids eval."""
    return Stack.wait_for(lambda: wanted(bar(page)) and bar(page))


def filled_in(acme: SimpleNamespace) -> list[str]:
    now = datetime.now(UTC).date()
    words = {"model": "gpt-4o", "quarter": now - timedelta(days=100), "tomorrow": now + timedelta(days=1)}
    return [path.format(**vars(acme), **words) for path in addresses()]


def test_no_page_complains_scrolls_sideways_or_keeps_anybody_out(
    acme: SimpleNamespace,
    signed_in: dict[str, Any],
    open_page: Callable[..., Page],
    accessible: Callable[..., None],
) -> None:
    """Each page is loaded once, on a telephone; then the window grows, and at last it becomes dark.

    Colours do not glide (reduced_motion), so they are those of the theme at once. The hundreds of elements of charts
    are checked on the first page and not again for every filter of it.
    """
    page = open_page(color_scheme="light", viewport=TELEPHONE, reduced_motion="reduce")

    def look(path: str) -> None:
        page.set_viewport_size(TELEPHONE)
        page.emulate_media(color_scheme="light")
        assert page.goto(path).status == (404 if path in GONE else 200), path
        assert page.locator("h1").count() == 1, path
        assert page.evaluate(WIDTH) == 420, path
        page.set_viewport_size(WIDE)
        assert page.evaluate(WIDTH) == 1180, path
        drawn_before = CHART if "?" in path else None
        accessible(page, without=drawn_before)
        page.emulate_media(color_scheme="dark")
        accessible(page, rule="color-contrast", without=drawn_before)  # only colours differ

    for path in (*SIGNED_OUT.values(), acme.password):
        look(path)
    page.context.add_cookies(signed_in["cookies"])
    for path in filled_in(acme):
        look(path)


def test_charts_are_drawn_with_a_bar_for_every_day_and_series(acme: SimpleNamespace, page: Page) -> None:
    page.goto("/?by=model")
    expect(page.locator("[data-figure=spend-figure] .bars .point path")).to_have_count(60)
    expect(page.locator("[data-figure=tokens-figure] .bars .point path").first).to_be_visible()
    colours = backgrounds(page, "tbody .swatch")
    assert bar(page) == colours[0] != colours[1]


def test_where_the_system_replaces_colours_bars_and_choices_are_told_apart(acme: SimpleNamespace, page: Page) -> None:
    page.emulate_media(forced_colors="active")
    page.goto("/?by=model&period=7")
    colours = backgrounds(page, "tbody .swatch")
    assert bar(page) == colours[0] != colours[1]
    chosen, other = (
        backgrounds(page, ".switch a[aria-current]")[0],
        backgrounds(page, ".switch a:not([aria-current])")[0],
    )
    assert chosen != other


def test_charts_follow_the_theme_at_once(acme: SimpleNamespace, page: Page) -> None:
    page.emulate_media(color_scheme="light")
    spend(page)
    light = bar(page)
    page.emulate_media(color_scheme="dark")
    dark = wait_for_bar(page, lambda colour: colour != light)
    page.get_by_role("button", name="Light", exact=True).click()
    wait_for_bar(page, lambda colour: colour == light)
    page.reload()
    assert bar(page) == light != dark
    assert page.locator("html").get_attribute("data-theme") == "light"


def test_hovering_names_every_part_of_a_day(acme: SimpleNamespace, page: Page) -> None:
    page.goto("/?by=model&period=7")
    box = page.locator("[data-figure=spend-figure] .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown = page.locator(".tip:visible")
    expect(shown).to_contain_text("gpt-4o-mini")
    expect(shown).to_contain_text("$0.00045")


def test_a_chart_whose_library_did_not_arrive_says_so(acme: SimpleNamespace, page: Page) -> None:
    page.route("**/plotly-basic*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    spend(page)
    expect(page.get_by_text("The chart did not load").first).to_be_visible()
    expect(page.locator(CHART)).to_have_count(0)


def test_no_button_of_the_chart_library_is_there(acme: SimpleNamespace, page: Page) -> None:
    spend(page)
    expect(page.locator("[data-figure=spend-figure] .main-svg").first).to_be_visible()
    expect(page.locator(".modebar")).to_have_count(0)


def choose_model(page: Page) -> None:
    """Tick gpt-4o in the list of models and apply it."""
    spend(page).locator(".pick > summary", has_text="Model: ").click()
    page.get_by_role("checkbox", name="gpt-4o", exact=True).check()
    page.locator(".pick[open]").get_by_role("button", name="Apply").click()


def test_choosing_a_filter_applies_it_and_the_chip_takes_it_away(acme: SimpleNamespace, page: Page) -> None:
    choose_model(page)
    chip = page.get_by_role("link", name="Remove filter model gpt-4o")
    expect(chip).to_be_visible()
    expect(page.locator(".stats")).to_contain_text("Calls 30")
    chip.click()
    expect(page.locator(".stats")).to_contain_text("Calls 60")


def test_the_address_says_what_is_filtered_and_going_back_what_was(acme: SimpleNamespace, page: Page) -> None:
    choose_model(page)
    expect(page.locator(".chip")).to_be_visible()
    assert page.url.endswith("/?model=gpt-4o")
    page.go_back()
    expect(page.locator(".chip")).to_have_count(0)
    page.locator(".pick > summary", has_text="Model: ").click()
    expect(page.get_by_role("checkbox", name="gpt-4o", exact=True)).not_to_be_checked()


def test_dates_appear_when_a_custom_period_is_chosen(acme: SimpleNamespace, page: Page) -> None:
    spend(page)
    expect(page.get_by_label("From", exact=True)).to_be_hidden()
    page.get_by_label("Period").select_option("custom")
    page.get_by_label("From", exact=True).fill("2020-01-01")
    page.get_by_label("To", exact=True).fill("2020-01-31")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("1–31 Jan 2020, UTC")).to_be_visible()
    expect(page.get_by_text("No calls in this period.")).to_be_visible()


def test_the_keyboard_reaches_the_content_first_and_shows_where_it_is(acme: SimpleNamespace, page: Page) -> None:
    page.goto("/keys")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
    style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"


def test_the_tab_key_stops_at_a_table_only_where_it_scrolls(acme: SimpleNamespace, page: Page) -> None:
    page.goto("/keys")
    table = page.get_by_role("group", name="Keys", exact=True)
    expect(table).not_to_have_attribute("tabindex", "0")
    page.set_viewport_size(TELEPHONE)
    expect(table).to_have_attribute("tabindex", "0")


def test_who_asks_for_more_contrast_reads_no_grey(acme: SimpleNamespace, page: Page) -> None:
    page.emulate_media(contrast="more", color_scheme="dark")
    page.goto("/keys")
    colour = "getComputedStyle(document.querySelector('{}')).{}"
    text = page.evaluate(colour.format("h1", "color"))
    assert page.evaluate(colour.format("main .muted", "color")) == text
    assert page.evaluate(colour.format("main select", "borderTopColor")) == text


def test_the_rules_of_the_chart_library_are_those_of_its_version(
    acme: SimpleNamespace, chromium: object, site: Stack
) -> None:
    """plotly.css stands in for the style element that the policy forbids; a new library needs a new one."""
    page = chromium.new_page()
    page.set_content("<div id=x></div>")
    page.add_script_tag(path=STATIC / "vendor/plotly-basic.min.js")
    page.evaluate("Plotly.newPlot('x', [{type: 'bar', x: [1], y: [1]}])")
    rules = "[...document.getElementById('plotly.js-style-global').sheet.cssRules].map(rule => rule.cssText)"
    wanted = page.evaluate(rules)
    page.close()
    kept = (STATIC / "plotly.css").read_text()
    assert len(wanted) > 50 and [rule for rule in wanted if rule not in kept] == []
