"""Files and paper: the export menu by keyboard, Excel in two clicks from a month, and what a page is like on paper."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from everything import cookies_of
from playwright.sync_api import Browser, Page, expect
from spending import spent
from stack import Stack

from webapp.auth.passwords import hashed

PASSWORD = "correct horse"
# Whether every swatch beside the first chart has the colour of some of its bars, and which colours the bars have.
COLOURS = """() => {
    const card = document.querySelector('[data-figure]').closest('.card');
    const bars = new Set([...card.querySelectorAll('.bars .point path')].map(path => getComputedStyle(path).fill));
    const swatches = [...card.querySelectorAll('.swatch')].filter(one => one.checkVisibility())
        .map(one => getComputedStyle(one).backgroundColor);
    return [swatches.length > 1 && swatches.every(colour => bars.has(colour)), [...bars].sort().join()];
}"""


@pytest.fixture(scope="module")
def cookies(chromium: Browser, site: Stack) -> dict[str, Any]:
    """Ada's, after two days of calls of two models last month."""
    people = site.people
    site.conn.execute("select local_auth.set_password(%s, %s)", [people.ids["ada"], hashed(PASSWORD)])
    last_month = datetime.now(UTC).replace(day=1) - timedelta(days=2)
    for model in ("gpt-4o", "gpt-4o-mini"):
        for days in (0, 1):
            spent(people, at=last_month - timedelta(days=days), model=model)
    return cookies_of(chromium, site.url, "ada@acme.test", PASSWORD)


@pytest.fixture
def page(open_page: Callable[..., Page], cookies: dict[str, Any]) -> Page:
    """Ada's spend of last month by model, in the dark theme."""
    page = open_page(storage_state=cookies, color_scheme="dark")
    page.goto("/?period=last-month&by=model")
    page.wait_for_selector(".bars .point path", state="attached")
    return page


def test_a_month_is_in_excel_two_clicks_later_also_by_keyboard(page: Page) -> None:
    page.locator(".menu > summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".menu")).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(page.locator(".menu")).not_to_have_attribute("open", "")
    expect(page.locator(".menu > summary")).to_be_focused()
    page.locator(".menu > summary").click()
    with page.expect_download() as begun:
        page.locator(".menu p:text('By month') + ul").get_by_text("Excel (.xlsx)").click()
    assert begun.value.suggested_filename.startswith("acme-spend-") and "sandbox.xlsx" in begun.value.suggested_filename
    book = openpyxl.load_workbook(io.BytesIO(begun.value.path().read_bytes()))
    rows = list(book["Spend"].iter_rows(values_only=True))
    assert [row[1] for row in rows[1:]] == ["gpt-4o", "gpt-4o-mini", None] and rows[-1][0] == "total"
    with page.expect_download() as begun:
        page.get_by_text("CSV", exact=True).first.click()
    assert begun.value.path().read_bytes().startswith("\ufeffday,model,calls".encode())


def test_paper_is_light_and_says_whose_page_it_is_and_that_its_money_is_play_money(page: Page) -> None:
    agree, dark = page.evaluate(COLOURS)
    assert agree
    expect(page.locator(".paper")).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator(".paper")).to_contain_text("Acme Sandbox: play money")
    expect(page.locator(".paper")).to_contain_text("As of")
    for gone in ("nav", ".filters", ".menu", ".band", ".period a", "section > header > a"):
        expect(page.locator(gone).first).to_be_hidden()
    page.wait_for_function(
        f"dark => {{ const [agree, bars] = ({COLOURS})(); return agree && bars !== dark; }}", arg=dark
    )
    light = page.evaluate(COLOURS)[1]
    page.emulate_media(media="null")
    page.wait_for_function(f"dark => ({COLOURS})()[1] === dark", arg=dark)

    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # as the browser does before its own dialog
    assert page.evaluate(COLOURS) == [True, light]
    assert page.evaluate("document.querySelector('.main-svg').clientWidth") <= 700, "the width of a page of A4"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(COLOURS) == [True, dark]
    assert page.pdf().startswith(b"%PDF")


def test_on_paper_the_total_is_below_the_rows_also_of_a_table_that_scrolls_on_the_screen(page: Page) -> None:
    page.set_viewport_size({"width": 420, "height": 400})
    page.wait_for_selector(".scroll:not(.fits) tfoot", state="attached")
    page.emulate_media(media="print")
    table = page.locator(".scroll:not(.fits) table", has=page.locator("caption", has_text="Spend by model"))
    last, total = table.locator("tbody tr").last.bounding_box(), table.locator("tfoot th").bounding_box()
    assert total["y"] >= last["y"] + last["height"] - 1


def test_the_menu_is_usable_on_a_telephone_and_without_scripts(
    page: Page, open_page: Callable[..., Page], cookies: dict[str, Any], accessible: Callable[..., None]
) -> None:
    page.set_viewport_size({"width": 420, "height": 800})
    page.locator(".menu > summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    accessible(page)
    plain = open_page(storage_state=cookies, java_script_enabled=False)
    plain.goto("/keys")
    plain.locator(".menu > summary").click()
    with plain.expect_download() as begun:
        plain.get_by_text("Excel (.xlsx)").click()
    assert re.fullmatch(r"acme-keys-[0-9-]{21}-sandbox\.xlsx", begun.value.suggested_filename)
