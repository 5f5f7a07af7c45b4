"""The Spend page in a browser: what grew and why, and the way from a bar to its calls, by mouse and by keyboard.

All tests read one ledger: two calendar months that are over, so that no figure depends on today.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from everything import cookies_of
from playwright.sync_api import Browser, Locator, Page, expect
from spending import another_key, spent
from stack import Stack

from webapp.auth.passwords import hashed

PASSWORD = "correct horse"
TELEPHONE = {"width": 420, "height": 800}
PEAK = 15  # day of the month on which search made ten times as many calls as usual
THOUGHT = {
    "prompt_tokens": 1000, "completion_tokens": 500, "prompt_tokens_details": {"cached_tokens": 400},
    "completion_tokens_details": {"reasoning_tokens": 300},
}  # fmt: skip
CHART, TIP, BREAKDOWN = "[data-figure=spend-figure]", ".tip:visible", "table:not(.values)"


@pytest.fixture(scope="module")
def ledger(site: Stack) -> SimpleNamespace:
    """Two months of Fay's organization. In the first, chat made a call a day for 20 days; in the second, two a day.
    Then search came with another call a day, and ten on one of them.

    A call of chat is $0.00045 (gpt-4o-mini), one of search $0.007 (gpt-4o; $0.003 for reasoning, $0.0005 for cached).
    """
    people = site.people.copy()
    people.found("fay", "Fayco")
    site.conn.execute("select local_auth.set_password(%s, %s)", [people.ids["fay"], hashed(PASSWORD)])
    now = datetime.combine(datetime.now(UTC).date(), time(12), UTC).replace(day=1)
    last = (now - timedelta(days=1)).replace(day=1)
    before = (last - timedelta(days=1)).replace(day=1)
    project, key = another_key(people, "search", "fay")
    for day in range(20):
        spent(people, "fay", before + timedelta(days=day), tags={"team": "web"})
        for hour, tags in ((0, {}), (2, {"team": "web", "env": "live"})):
            spent(people, "fay", last + timedelta(days=day, hours=hour), tags=tags)
        for minute in range(10 if day + 1 == PEAK else 1):
            at, words = last + timedelta(days=day, hours=1, minutes=minute), {"tags": {"team": "ios"}}
            words |= {"project_id": str(project), "api_key_id": str(key)}
            spent(people, "fay", at, model="gpt-4o", usage=THOUGHT, **words)
    return SimpleNamespace(
        before=before,
        last=last,
        days=(now - last).days,
        month=f"/?from={last.date()}&to={now.date() - timedelta(days=1)}",
    )


@pytest.fixture(scope="module")
def signed_in(ledger: SimpleNamespace, chromium: Browser, site: Stack) -> dict[str, Any]:
    """Fay's cookies."""
    return cookies_of(chromium, site.url, "fay@fayco.test", PASSWORD)


@pytest.fixture
def page(open_page: Callable[..., Page], signed_in: dict[str, Any]) -> Page:
    return open_page(storage_state=signed_in)


def at_bar(page: Page, number: int, count: int) -> tuple[float, float]:
    """Where in the window the bar of this number, from 0, is drawn."""
    box = page.locator(f"{CHART} .nsewdrag").bounding_box()
    assert box
    return box["x"] + box["width"] * (number + 0.5) / count, box["y"] + box["height"] - 4


def row(page: Page, name: str) -> list[str]:
    """Texts of the cells beside a name in the breakdown."""
    cells = page.locator(f"{BREAKDOWN} tr", has=page.get_by_role("rowheader", name=name, exact=True)).first.locator(
        "td"
    )
    return [text.strip() for text in cells.all_inner_texts()]


def dollars(text: str) -> Decimal:
    found = re.search(r"([-+−]?)\$([\d.,]+)", text)
    assert found, text
    return Decimal(found[2].replace(",", "")) * (-1 if found[1] in ("-", "−") else 1)


def test_month_against_month_what_grew_and_why(ledger: SimpleNamespace, page: Page) -> None:
    """Two clicks from Spend: the month, and the change of chat in its parts."""
    page.goto("/")
    page.get_by_role("link", name=f"{ledger.last:%b %Y}", exact=True).click()
    expect(page.locator(".stats")).to_contain_text(re.compile(rf"vs 1–\d\d {ledger.before:%b %Y}: \$0\.0090"))
    assert row(page, "search")[0] == "$0.20" and row(page, "search")[2:4] == ["$0.00", "+$0.20"]
    assert row(page, "chat")[:5] == ["$0.018", "8%", "$0.0090", "+$0.0090", "+100%"]
    page.locator(f"{BREAKDOWN} details", has_text="+$0.0090").locator("summary").click()
    parts = page.locator(f"{BREAKDOWN} details[open] dd")
    expect(parts).to_have_count(3)
    assert sum(dollars(text) for text in parts.all_inner_texts()) == Decimal("0.0090")
    peak = page.get_by_text("stands out")
    expect(peak).to_contain_text(f"{ledger.last.replace(day=PEAK):%a} {PEAK} {ledger.last:%b %Y}")
    expect(peak).to_contain_text("search: $0.070 instead of $0.0070")
    page.get_by_role("link", name="Change", exact=True).click()
    assert page.locator(BREAKDOWN).first.locator("tbody th").all_inner_texts() == ["search", "chat"]
    page.get_by_role("link", name="year before").click()
    expect(page.locator(".stats")).to_contain_text("nothing in")


def test_a_bar_opens_its_day_then_its_hours_then_its_calls(ledger: SimpleNamespace, page: Page) -> None:
    page.goto(f"{ledger.month}&by=model")
    expect(page.locator(f"{CHART} .bars .point")).not_to_have_count(0)
    page.mouse.move(*at_bar(page, PEAK - 1, ledger.days))
    shown = page.locator(TIP)
    expect(shown).to_contain_text(
        re.compile(rf"{PEAK} {ledger.last:%b %Y}.*Total\s*\$0\.071.*gpt-4o\s*\$0\.070.*gpt-4o-mini", re.S)
    )
    page.mouse.click(*at_bar(page, PEAK - 1, ledger.days))
    expect(page.get_by_role("heading", name="Spend per hour")).to_be_visible()
    expect(page.locator(".stats")).to_contain_text("$0.071")
    expect(page.locator(f"{CHART} .bars .point")).not_to_have_count(0)
    page.mouse.click(*at_bar(page, 13, 24))
    expect(page.get_by_role("heading", name="Calls", exact=True)).to_be_visible()
    expect(page.locator("a[href^='/calls/']")).to_have_count(10)
    page.go_back()
    page.get_by_role("link", name="← back to").click()
    expect(page.get_by_role("heading", name="Spend per day")).to_be_visible()
    expect(page.get_by_label("Broken down by").locator("[aria-current]")).to_have_text("Model")


def test_the_keyboard_goes_from_bar_to_bar_and_opens_one(
    ledger: SimpleNamespace, page: Page, accessible: Callable[..., None]
) -> None:
    page.goto(ledger.month)
    expect(page.locator(f"{CHART} .bars .point")).not_to_have_count(0)
    page.locator(CHART).focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator(TIP)).to_contain_text(
        re.compile(r"\b2 .*Total\s*\$0\.0079.*search\s*\$0\.0070.*chat\s*\$0\.00090", re.S)
    )
    accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Spend per hour")).to_be_visible()
    page.go_back()
    page.get_by_text("The same numbers as a table").first.click()
    table = page.locator("#spend-figure-values")
    expect(table.locator("tbody tr").nth(PEAK - 1)).to_contain_text(re.compile(r"\$0\.071\s*\$0\.070\s*\$0\.00090"))
    table.get_by_role("link").nth(PEAK - 1).click()
    expect(page.get_by_role("heading", name="Spend per hour")).to_be_visible()


def test_the_keyboard_alone_goes_from_spend_to_a_call_and_back(ledger: SimpleNamespace, page: Page) -> None:
    def press_at(place: Locator, *keys: str) -> None:
        """Tab to a place, then press these keys."""
        for _ in range(100):
            page.keyboard.press("Tab")
            if place.evaluate("e => e === document.activeElement"):
                break
        expect(place).to_be_focused()
        for key in keys:
            page.keyboard.press(key)

    def drawn(heading: str) -> Locator:
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        expect(page.locator(f"{CHART} .bars .point")).not_to_have_count(0)
        return page.locator(CHART)

    page.goto(ledger.month)
    press_at(drawn("Spend per day"), "Home", *["ArrowRight"] * (PEAK - 1), "Enter")
    press_at(drawn("Spend per hour"), "Home", *["ArrowRight"] * 13, "Enter")
    press_at(page.locator("a[href^='/calls/']").first, "Enter")
    expect(page.get_by_role("heading", name="The call", exact=True)).to_be_visible()
    press_at(page.locator("main").get_by_role("link", name="Calls", exact=True), "Enter")
    expect(page.locator("a[href^='/calls/']")).to_have_count(10)


def test_a_finger_goes_from_a_bar_to_its_calls_and_scrolls_past_the_chart(
    ledger: SimpleNamespace, open_page: Callable[..., Page], signed_in: dict[str, Any]
) -> None:
    page = open_page(storage_state=signed_in, viewport=TELEPHONE, has_touch=True, is_mobile=True)
    page.goto(ledger.month)
    expect(page.locator(f"{CHART} .bars .point")).not_to_have_count(0)
    x, y = at_bar(page, PEAK - 1, ledger.days)
    finger = page.context.new_cdp_session(page)
    for kind, up in (("touchStart", 0), *(("touchMove", 20 * n) for n in range(1, 12)), ("touchEnd", None)):
        points = [] if up is None else [{"x": x, "y": y - up}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    Stack.wait_for(lambda: page.evaluate("scrollY") > 50)
    page.reload()
    expect(page.locator(f"{CHART} .bars .point")).not_to_have_count(0)
    page.evaluate("scrollTo(0, 0)")
    page.touchscreen.tap(*at_bar(page, PEAK - 1, ledger.days))
    expect(page.get_by_role("heading", name="Spend per hour")).to_be_visible()
    expect(page.locator(f"{CHART} .bars .point")).not_to_have_count(0)
    page.touchscreen.tap(*at_bar(page, 13, 24))
    expect(page.locator("a[href^='/calls/']")).to_have_count(10)


def test_the_dollars_by_kind_and_the_values_of_a_tag_add_up(ledger: SimpleNamespace, page: Page) -> None:
    page.goto(ledger.month)
    page.get_by_role("link", name="Kind", exact=True).click()
    assert [row(page, name)[0] for name in ("Reasoning", "Cached input")] == ["$0.087", "$0.015"]

    def titles(place: str) -> list[Decimal]:
        table = page.locator(BREAKDOWN).first
        return [
            dollars(cell.get_attribute("title") or "") for cell in table.locator(f"{place} tr td:nth-child(2)").all()
        ]

    assert sum(titles("tbody")) == titles("tfoot")[0] == Decimal("0.221")
    page.get_by_role("link", name="Tag", exact=True).click()
    expect(page.get_by_text("do not add up")).to_be_visible()
    page.get_by_role("link", name="team", exact=True).click()
    expect(page.get_by_role("rowheader", name="no team")).to_be_visible()
    assert sorted(page.locator(f"{BREAKDOWN} tbody").first.locator("th").all_inner_texts()) == ["ios", "no team", "web"]
    assert sum(titles("tbody")) == titles("tfoot")[0] == Decimal("0.221")
    page.get_by_role("link", name="no team").click()
    expect(page.locator(".stats")).to_contain_text("$0.0090")


def test_weeks_that_the_period_cuts_are_marked_at_both_ends(ledger: SimpleNamespace, page: Page) -> None:
    wednesday = next(day for n in range(7) if (day := ledger.last + timedelta(days=n)).weekday() == 2)
    page.goto(f"/?from={wednesday.date()}&to={(wednesday + timedelta(days=14)).date()}&grain=week")
    expect(page.get_by_text("cut off by the period")).to_be_visible()
    marks = page.locator("#spend-figure-values tbody th").all_text_contents()
    assert [mark.endswith("*") for mark in marks] == [True, False, True]
    assert page.get_by_label("Bars").locator("a").all_inner_texts() == ["Day", "Week"]


def test_a_project_keeps_its_colour_from_period_to_period_and_its_bars_have_it(
    ledger: SimpleNamespace, page: Page
) -> None:
    def colour() -> str:
        swatch = page.locator(f"{BREAKDOWN} tr", has=page.get_by_role("rowheader", name="chat")).first.locator(
            ".swatch"
        )
        return swatch.evaluate("mark => getComputedStyle(mark).backgroundColor")

    page.goto(f"/?from={ledger.before.date()}&to={(ledger.before + timedelta(days=19)).date()}")
    first = page.locator(f"{CHART} .bars .point path").first
    expect(first).to_be_visible()
    alone, drawn = colour(), first.evaluate("bar => bar.style.fill")
    assert alone == drawn
    page.goto(ledger.month)
    assert colour() == alone
    others = {
        mark.evaluate("mark => getComputedStyle(mark).backgroundColor")
        for mark in page.locator(".swatch:not(.hatch)").all()
    }
    assert len(others) >= 8  # two projects, three kinds of tokens, answered and failed calls, totals: each its own


def test_on_a_telephone_the_chart_is_on_the_first_screen_and_the_cost_beside_the_name(
    ledger: SimpleNamespace, open_page: Callable[..., Page], signed_in: dict[str, Any]
) -> None:
    page = open_page(storage_state=signed_in, viewport=TELEPHONE)
    page.goto(ledger.month)
    chart = page.locator(CHART).bounding_box()
    assert chart and chart["y"] + chart["height"] <= TELEPHONE["height"]
    cost = page.locator(f"{BREAKDOWN} tr", has=page.get_by_role("rowheader", name="search")).first.locator("td").first
    box = cost.bounding_box()
    assert box and box["x"] + box["width"] <= TELEPHONE["width"]
    expect(cost).to_have_text("$0.20")
